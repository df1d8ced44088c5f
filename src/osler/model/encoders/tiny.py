"""The tiny family's vision tower: CLIP's vision transformer at 128 channels and 96 px.

Without a folder its weights are random: the baseline that every trained encoder has to beat. With one it is read as
`osler` reads it.
"""

from osler.core.catalog import FAMILIES
from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="arXiv:2103.00020",
    licence="Apache-2.0",
    source="osler train",
    layouts=("clip", "clip_vision_model", "osler"),
    widths=(128,),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
    random=FAMILIES.load("tiny").vision_config,
)
