"""BiomedCLIP: ViT-B/16 and PubMedBERT on 15 million figures of PubMed Central with their captions.

In open_clip's layout; published as a pickle, which is to be converted first.
"""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2303.00915",
    licence="MIT",
    source="https://huggingface.co/microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
    layouts=("open_clip",),
    widths=(768,),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
    conversion="Write the tensors as open_clip_model.safetensors beside open_clip_config.json.",
)
