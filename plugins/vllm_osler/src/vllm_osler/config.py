"""The export's config.json as a transformers configuration."""

from typing import Any

from transformers import GptOssConfig, PreTrainedConfig

ARCHITECTURE = "OslerGptOssForConditionalGeneration"  # "GptOss" in it picks the clamped SwiGLU in vLLM's fallbacks


class OslerVisionConfig(PreTrainedConfig):
    """CLIP's sizes. `image_size` and `patch_size` are pairs, as vLLM's InternS1 class reads them."""

    model_type = "osler_clip_vision"
    base_config_key = "vision_config"


class OslerGptOssConfig(PreTrainedConfig):
    """What `osler export` wrote with `format: vllm`; every key of the file is an attribute."""

    model_type = "osler_gpt_oss"
    sub_configs = {"text_config": GptOssConfig, "vision_config": OslerVisionConfig}

    def __init__(self, text_config: Any = None, vision_config: Any = None, **kwargs: Any) -> None:
        self.text_config = _made(GptOssConfig, text_config)
        self.vision_config = _made(OslerVisionConfig, vision_config)
        super().__init__(**kwargs)


def tower_arguments(config: OslerGptOssConfig) -> dict[str, Any]:
    """The arguments of `ClipTower`."""
    vision = config.vision_config
    same = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_channels")
    return {
        **{key: getattr(vision, key) for key in (*same, "hidden_act")},
        "image_size": vision.image_size[0],
        "patch_size": vision.patch_size[0],
    }


def projector_arguments(config: OslerGptOssConfig) -> dict[str, Any]:
    """The arguments of `Projector`."""
    return {
        "in_features": config.vision_config.hidden_size * round(1 / config.downsample_ratio) ** 2,
        "out_features": config.text_config.hidden_size,
        "layer_norm": config.projector_layer_norm,
    }


def name_arguments(config: OslerGptOssConfig) -> dict[str, Any]:
    """The arguments of `expected_names`."""
    return {
        "num_vision_layers": config.vision_config.num_hidden_layers,
        "num_text_layers": config.text_config.num_hidden_layers,
        "projector_layer_norm": config.projector_layer_norm,
        "quantized": bool(getattr(config, "quantization_config", None)),
    }


def _made(cls: type, value: Any) -> Any:
    return cls(**value) if isinstance(value, dict) else value or cls()
