"""PubMedCLIP: CLIP tuned on the radiology figures of ROCO; ViT-B/32 is the size that is published for transformers."""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2112.13906",
    licence="MIT",
    source="https://huggingface.co/flaviagiammarino/pubmed-clip-vit-base-patch32",
    layouts=("clip",),
    widths=(768,),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
)
