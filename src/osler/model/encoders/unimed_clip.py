"""UniMed-CLIP: ViT-B/16 or ViT-L/14 at 336 px and BiomedBERT on 5.3 million pairs of six modalities.

Published as a pickle of a training run. The how-to shows how it becomes a folder in open_clip's layout.
"""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2412.10372",
    licence="MIT",
    source="https://huggingface.co/UzairK/unimed-clip-vit-b16",
    layouts=("open_clip",),
    widths=(768, 1024),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
    conversion="Take its state_dict without the prefix `module.` and write open_clip_config.json beside it.",
)
