"""The plain vision transformer, as trained on ImageNet, in timm's layout or in transformers'.

Without a folder it is ViT-B/16 at 224 px with random weights: training from scratch at the size of most encoders here.
"""

from transformers import ViTConfig

from osler.model.encoder import Encoder

_HALF = (0.5, 0.5, 0.5)

ENCODER = Encoder(
    paper="arXiv:2010.11929",
    licence="Apache-2.0",
    source="https://huggingface.co/timm/vit_base_patch16_224.augreg_in21k",
    layouts=("timm_vit", "vit"),
    image_mean=_HALF,
    image_std=_HALF,
    random=ViTConfig,
)
