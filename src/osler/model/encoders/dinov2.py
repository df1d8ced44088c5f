"""DINOv2: a vision transformer that learned from pictures alone, with or without registers.

Takes pictures of any size that its patches divide; it is used at the size that its folder's preprocessor states.
"""

from osler.model.encoder import Encoder

# Mean and standard deviation of ImageNet, per RGB channel, on a 0-1 scale.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

ENCODER = Encoder(
    paper="arXiv:2304.07193",
    licence="Apache-2.0",
    source="https://huggingface.co/facebook/dinov2-base",
    layouts=("dinov2", "dinov2_with_registers"),
    image_mean=_MEAN,
    image_std=_STD,
    image_size=224,
)
