"""DINOv3: DINOv2's successor with rotary positions; the distilled vision transformers.

Its weights are given to registered users under the DINOv3 licence.
"""

from osler.model.encoder import Encoder

# Mean and standard deviation of ImageNet, per RGB channel, on a 0-1 scale.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

ENCODER = Encoder(
    paper="arXiv:2508.10104",
    licence="DINOv3 License",
    source="https://huggingface.co/facebook/dinov3-vitb16-pretrain-lvd1689m",
    layouts=("dinov3_vit",),
    image_mean=_MEAN,
    image_std=_STD,
    image_size=224,
)
