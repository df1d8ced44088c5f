"""BMCA-CLIP: CLIP ViT-L/14 tuned on BIOMEDICA, 24 million figures of PubMed Central with their captions.

In open_clip's layout.
"""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2501.07171",
    licence="MIT",
    source="https://huggingface.co/BIOMEDICA/BMC-CLIP_CF",
    layouts=("open_clip", "clip"),
    widths=(1024,),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
    conversion="Write the tensors as open_clip_model.safetensors beside open_clip_config.json.",
)
