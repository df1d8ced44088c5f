"""RAD-DINO: DINOv2 ViT-B/14 at 518 px that learned from chest films alone."""

from osler.model.encoder import Encoder

# Of chest films, gray in three channels, on a 0-1 scale.
_MEAN = (0.5307, 0.5307, 0.5307)
_STD = (0.2583, 0.2583, 0.2583)

ENCODER = Encoder(
    paper="arXiv:2401.10815",
    licence="MSRLA",
    source="https://huggingface.co/microsoft/rad-dino",
    layouts=("dinov2",),
    widths=(768,),
    image_mean=_MEAN,
    image_std=_STD,
    image_size=518,
)
