"""The vision tower of a model that Osler trained: of a vision-language model, or of a pair trained by contrast.

The folder is the `model/` that `osler train` wrote, or what `osler export` made of it. Of a vision-language model the
features are the mean over the patches that its language model reads, as no loss ever reached its class token; of a
pair they are what the loss compared, before the projection.
"""

from osler.model.config import CLIP_MEAN, CLIP_STD
from osler.model.encoder import Encoder

ENCODER = Encoder(
    paper="",
    licence="that of the data and weights it was trained from",
    source="osler train",
    layouts=("osler", "clip", "siglip", "vision-text-dual-encoder", "clip_vision_model", "siglip_vision_model")
    + ("internvl_vision",),
    image_mean=CLIP_MEAN,
    image_std=CLIP_STD,
)
