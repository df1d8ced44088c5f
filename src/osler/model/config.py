"""OslerConfig: one vision tower, one projector, one causal language model, and how pixels become tokens."""

from typing import ClassVar

from transformers import AutoConfig, InternVLConfig
from transformers.configuration_utils import SubConfigSpec

# Mean and standard deviation of the pictures CLIP was trained on, per RGB channel, on a 0-1 scale.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class OslerConfig(InternVLConfig):
    """Configuration of the composition.

    The vision and text configurations are any that transformers' AutoConfig knows. An own `model_type`
    matters: read back under InternVL's, a CLIP tower would silently become an InternViT with random weights.

    Args:
        image_seq_length: language-model tokens per tile.
        tile_px: side of a tile in pixels; the vision tower's image size.
        max_tiles: most tiles of one image, the thumbnail not counted.
        projector_layer_norm: normalise the unshuffled features before the MLP (InternVL does, LLaVA does not).
        image_mean, image_std: applied to 0-1 pixels on the device, per RGB channel.
    """

    model_type = "osler"
    sub_configs_defaults = {
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="gpt_oss"),
        "vision_config": SubConfigSpec(config_class=AutoConfig, model_type="clip_vision_model"),
    }

    image_token_id: int = 0
    image_seq_length: int = 144
    tile_px: int = 336
    max_tiles: int = 12
    projector_layer_norm: bool = True
    image_mean: list[float] | tuple[float, ...] = CLIP_MEAN
    image_std: list[float] | tuple[float, ...] = CLIP_STD
    tie_word_embeddings: bool = False
    # transformers and TRL read `config.auto_map` of classes they do not know; as a field it would break AutoConfig.
    auto_map: ClassVar[dict[str, str]] = {}
