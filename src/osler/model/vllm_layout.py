"""The layout that vLLM reads with the plugin in plugins/vllm_osler: CLIP tower, projector, vLLM's own GPT-oss.

Tensor names stay as they are; the plugin maps them. What vLLM 0.33 fixes in its GPT-oss code is checked here, so
that a model it would run wrongly is refused: see `_FIXED` and `_rope`.
"""

import json
from typing import Any, Literal

import yaml

from osler.core.errors import InputError
from osler.model.layout import Layout, Source, bf16_pieces, head_spec
from osler.model.mxfp4_layout import mxfp4_pieces
from osler.model.tokenizer import IMAGE_END, IMAGE_START

MODEL_TYPE = "osler_gpt_oss"
ARCHITECTURE = "OslerGptOssForConditionalGeneration"
LAUNCH = "vllm.yaml"
_MAX_TOKENS = 32_768
_MAX_IMAGES = 8
# Constants that vLLM's GPT-oss holds in its code, whatever config.json says.
_FIXED = {"rms_norm_eps": 1e-5, "swiglu_alpha": 1.702, "swiglu_limit": 7.0, "hidden_act": "silu"}
_YARN = {"beta_fast": 32.0, "beta_slow": 1.0, "truncate": False}
_QUANTIZATION = {"quant_method": "gpt_oss_mxfp4"}  # vLLM's own name; it renames `mxfp4` only for plain GPT-oss
# The last norm of CLIP serves a pooled output that the composition does not use.
_UNUSED_TENSORS = ("model.vision_tower.post_layernorm.",)
_VISION_KEYS = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_channels", "hidden_act",
)  # fmt: skip


def vllm_layout(source: Source, *, experts: Literal["bf16", "mxfp4"], device: str) -> Layout:
    """Configuration, weights and a launch file for `vllm serve --config vllm.yaml`.

    Raises:
        InputError: the parts are others than CLIP and GPT-oss, or vLLM would compute something else.
    """
    head_spec(source)
    files = source.files()
    config = vllm_config(source.config, files, quantized=experts == "mxfp4")
    pieces = mxfp4_pieces(source, device=device) if experts == "mxfp4" else bf16_pieces(source)
    return Layout(
        config=config,
        pieces=[piece for piece in pieces if not piece.specs[0].name.startswith(_UNUSED_TENSORS)],
        files=files,
        beside={LAUNCH: _launch_file(config)},
    )


def vllm_config(config: dict[str, Any], files: dict[str, str], *, quantized: bool) -> dict[str, Any]:
    """config.json of the export, from the model's own and the texts of its tokenizer and processor."""
    text, vision = config["text_config"], config["vision_config"]
    _refuse_unfit(text, vision)
    if config["vision_feature_select_strategy"] != "default":
        raise InputError(
            "the plugin's tower drops CLIP's class token", expected="vision_feature_select_strategy default"
        )
    quantization = {"quantization_config": _QUANTIZATION} if quantized else {}
    ids = _token_ids(files["tokenizer.json"])
    return {
        "model_type": MODEL_TYPE,
        "architectures": [ARCHITECTURE],
        "dtype": "bfloat16",
        "text_config": {
            **text,
            "architectures": ["GptOssForCausalLM"],
            "rope_parameters": _rope(text),
            **quantization,
        },
        "vision_config": {
            **{key: vision[key] for key in _VISION_KEYS},
            "model_type": "osler_clip_vision",
            # vLLM's InternS1 class, which the plugin extends, reads both as pairs.
            "image_size": [vision["image_size"]] * 2,
            "patch_size": [vision["patch_size"]] * 2,
        },
        **{
            key: config[key]
            for key in ("downsample_ratio", "image_seq_length", "image_token_id", "projector_layer_norm")
        },
        **{key: list(config[key]) for key in ("image_mean", "image_std")},
        **{key: config[key] for key in ("pad_token_id", "eos_token_id") if key in config},
        "image_start_token_id": ids[IMAGE_START],
        "image_end_token_id": ids[IMAGE_END],
        "tiling": _tiling(files["processor_config.json"]),
        "tie_word_embeddings": False,
        **quantization,
    }


def _refuse_unfit(text: dict[str, Any], vision: dict[str, Any]) -> None:
    if (vision["model_type"], text["model_type"]) != ("clip_vision_model", "gpt_oss"):
        raise InputError(
            "the vLLM plugin serves a CLIP tower with GPT-oss",
            expected="clip_vision_model and gpt_oss",
            got=f"{vision['model_type']} and {text['model_type']}",
        )
    for key, value in _FIXED.items():
        if text.get(key, value) != value:
            raise InputError(f"vLLM's GPT-oss has {key} {value} in its code", got=str(text[key]))
    if vision["layer_norm_eps"] != 1e-5 or vision["hidden_act"] not in ("quick_gelu", "gelu"):
        raise InputError(
            "the plugin's tower is CLIP's",
            expected="layer_norm_eps 1e-05, hidden_act quick_gelu or gelu",
            got=f"{vision['layer_norm_eps']}, {vision['hidden_act']}",
        )
    pattern = ["full_attention" if layer % 2 else "sliding_attention" for layer in range(text["num_hidden_layers"])]
    if text["layer_types"] != pattern:
        raise InputError("vLLM's GPT-oss slides in layers 0, 2, 4, ...", got=", ".join(text["layer_types"]))


def _rope(text: dict[str, Any]) -> dict[str, Any]:
    """YaRN (arXiv:2309.00071), which vLLM's GPT-oss always builds; with factor 1 it is plain rotary embedding."""
    rope = text["rope_parameters"]
    if rope["rope_type"] == "default":
        plain = {"factor": 1.0, "original_max_position_embeddings": text["max_position_embeddings"]}
        return {**_YARN, **plain, "rope_type": "yarn", "rope_theta": rope["rope_theta"]}
    if rope["rope_type"] != "yarn":
        raise InputError("vLLM's GPT-oss builds YaRN positions only", got=str(rope["rope_type"]))
    unread = sorted({"attention_factor", "mscale", "mscale_all_dim"} & {k for k, v in rope.items() if v is not None})
    if unread:
        raise InputError(
            f"vLLM's GPT-oss does not read {unread[0]}, which scales the attention", got=str(rope[unread[0]])
        )
    return {**_YARN, "truncate": True, **rope}


def _token_ids(tokenizer_json: str) -> dict[str, int]:
    ids = {token["content"]: int(token["id"]) for token in json.loads(tokenizer_json)["added_tokens"]}
    missing = [token for token in (IMAGE_START, IMAGE_END) if token not in ids]
    if missing:
        raise InputError(f"the tokenizer has no token {missing[0]}", fix="Export a model that `osler train` made.")
    return ids


def _tiling(processor_json: str) -> dict[str, Any]:
    """The arguments of `osler.media.tiles.cut_tiles`, as the image processor holds them."""
    settings = json.loads(processor_json)["image_processor"]
    return {key: value for key, value in settings.items() if key not in ("image_processor_type", "processor_class")}


def _launch_file(config: dict[str, Any]) -> str:
    arguments = {
        "model": "model",
        "served-model-name": "osler",
        "dtype": "bfloat16",
        "max-model-len": min(_MAX_TOKENS, config["text_config"]["max_position_embeddings"]),
        "limit-mm-per-prompt": {"image": _MAX_IMAGES},
        # The template walks through content parts in a macro, where vLLM does not find it by itself.
        "chat-template-content-format": "openai",
        "reasoning-parser": "openai_gptoss",
    }
    head = "# In this folder, with vllm 0.33 and plugins/vllm_osler installed:\n#   vllm serve --config vllm.yaml\n"
    return head + yaml.safe_dump(arguments, sort_keys=False)
