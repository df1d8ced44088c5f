"""The layout of transformers' LlavaForConditionalGeneration, for compositions that LLaVA can express.

LLaVA 1.5 (arXiv:2310.03744): one picture of a fixed size, every patch a token, a two-layer MLP.
"""

import json
from typing import Any

from osler.core.errors import InputError
from osler.model.layout import Layout, Source, bf16_pieces, head_spec
from osler.model.tokenizer import IMAGE, IMAGE_END, IMAGE_START

_BICUBIC = 3  # Pillow's number, which image processors store
_UNUSED = ("downsample_ratio", "projector_layer_norm", "tile_px", "max_tiles", "image_mean", "image_std")


def llava_layout(source: Source) -> Layout:
    """The same weights under the same names, with LLaVA's configuration and processor.

    Raises:
        InputError: the composition has what LLaVA has not: a pixel unshuffle, tiles, a norm before the projector.
    """
    _refuse_what_llava_has_not(source.config)
    head_spec(source)
    files = source.files()
    template = files.pop("chat_template.jinja").replace(IMAGE, IMAGE_START + IMAGE + IMAGE_END)
    return Layout(
        config=_config(source.config),
        pieces=bf16_pieces(source),
        files={**files, "chat_template.jinja": template, "processor_config.json": _processor(source.config)}
        | {"tokenizer_config.json": _tokenizer(files["tokenizer_config.json"])},
    )


def _refuse_what_llava_has_not(config: dict[str, Any]) -> None:
    ratio, tiles = config["downsample_ratio"], config["max_tiles"]
    problems = []
    if ratio != 1.0:
        problems.append(f"downsample_ratio is {ratio}: it joins patches into one token, in LLaVA each patch is one")
    if tiles != 1:
        problems.append(f"max_tiles is {tiles}: LLaVA reads one picture of a fixed size")
    if config["projector_layer_norm"]:
        problems.append("projector_layer_norm is true: LLaVA's projector has no LayerNorm")
    if problems:
        raise InputError(
            f"LLaVA's layout cannot hold this model: {'; '.join(problems)}",
            fix="Export it with format: vllm, bf16 or mxfp4.",
        )


def _config(config: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in config.items() if key not in (*_UNUSED, "image_token_id")}
    return {
        **kept,
        "model_type": "llava",
        "architectures": ["LlavaForConditionalGeneration"],
        "dtype": "bfloat16",
        "image_token_index": config["image_token_id"],
        "vision_feature_layer": -1,  # our towers are used to their last layer
        "multimodal_projector_bias": True,
    }


def _processor(config: dict[str, Any]) -> str:
    side = {"height": config["tile_px"], "width": config["tile_px"]}
    return _json(
        {
            "processor_class": "LlavaProcessor",
            "image_token": IMAGE,
            "patch_size": config["vision_config"]["patch_size"],
            "vision_feature_select_strategy": config["vision_feature_select_strategy"],
            "num_additional_image_tokens": 1 if config["vision_feature_select_strategy"] == "default" else 0,
            "image_processor": {
                "image_processor_type": "CLIPImageProcessor",
                "do_convert_rgb": True,
                "do_resize": True,
                "size": side,
                "resample": _BICUBIC,
                "do_center_crop": False,
                "crop_size": side,
                "do_rescale": True,
                "rescale_factor": 1 / 255,
                "do_normalize": True,
                "image_mean": list(config["image_mean"]),
                "image_std": list(config["image_std"]),
            },
        }
    )


def _tokenizer(text: str) -> str:
    return _json({**json.loads(text), "processor_class": "LlavaProcessor"})


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
