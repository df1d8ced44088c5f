"""CLIP: pictures and captions of the web. The medical encoders below are measured against it.

Any size: ViT-B/32, ViT-B/16, ViT-L/14, and ViT-L/14 at 336 px, which is the tower of MedGPT-OSS. Its folder is in
transformers' layout or in open_clip's.
"""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2103.00020",
    licence="MIT",
    source="https://huggingface.co/openai/clip-vit-large-patch14-336",
    layouts=("clip", "open_clip"),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
)
