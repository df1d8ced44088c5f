"""Trained towers in layouts that other libraries read: a vision tower alone for transformers, a pair for open_clip."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel

from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, read_json
from osler.model.dual import picture_settings
from osler.model.family import side
from osler.model.layout import Layout
from osler.model.pretrained.open_clip_names import TEXT, VISION, to_open_clip
from osler.model.pretrained.open_clip_towers import CONFIG, WEIGHTS
from osler.model.pretrained.transformers_towers import PAIRS, POOLING_KEY
from osler.model.weight_files import Piece, TensorSpec, Weights

_TOWERS = {"osler": "model.vision_tower.", **dict.fromkeys(PAIRS, "vision_model.")}
_EPS = 1e-5  # what open_clip's norms have, without a setting for another
_KEPT_SUFFIXES = {".json", ".txt"}


def tower_layout(folder: Path) -> Layout:
    """The vision tower of a vision-language model or of a pair, as its own class in transformers.

    Raises:
        InputError: the folder holds no model with a vision tower of ours.
    """
    config = _config(folder, tuple(_TOWERS))
    prefix = _TOWERS[config["model_type"]]
    vision = AutoConfig.for_model(**config["vision_config"])
    with torch.device("meta"):
        class_name = type(AutoModel.from_config(vision)).__name__
    weights = Weights(folder)
    pieces = [
        _copied(weights, spec, spec.name.removeprefix(prefix))
        for spec in weights.specs()
        if spec.name.startswith(prefix)
    ]
    stated = {**vision.to_dict(), "architectures": [class_name], "dtype": "float32"}
    if config["model_type"] == "osler":
        stated[POOLING_KEY] = "mean"  # its class token was never trained
        pictures = picture_settings(side(vision.image_size), config["image_mean"], config["image_std"])
    else:
        pictures = read_json(folder / "preprocessor_config.json")
    return Layout(config=stated, pieces=pieces, files={"preprocessor_config.json": _json(pictures)})


def open_clip_layout(folder: Path) -> Layout:
    """A pair of CLIP's towers as open_clip reads it: `open_clip.create_model("local-dir:FOLDER")`.

    Raises:
        InputError: another pair, or one that open_clip's classes would compute otherwise.
    """
    config = _config(folder, ("clip",))
    vision, text = config["vision_config"], config["text_config"]
    _refuse_what_open_clip_has_not(folder, vision, text)
    weights = Weights(folder)
    stored = {spec.name: weights.read(spec.name) for spec in weights.specs()}
    tensors = {f"visual.{name}": each for name, each in to_open_clip(_part(stored, "vision_model."), VISION).items()}
    tensors |= to_open_clip(_part(stored, "text_model."), TEXT)
    tensors["visual.proj"] = stored["visual_projection.weight"].T
    tensors["text_projection"] = stored["text_projection.weight"].T
    tensors["logit_scale"] = stored["logit_scale"]
    bias = config.get("logit_bias")
    if bias is not None:
        tensors["logit_bias"] = torch.tensor(float(bias))
    pictures = read_json(folder / "preprocessor_config.json")
    model_cfg = {
        "embed_dim": config["projection_dim"],
        "quick_gelu": vision["hidden_act"] == "quick_gelu",
        "vision_cfg": _vision_cfg(vision),
        "text_cfg": _text_cfg(text),
        **({} if bias is None else {"init_logit_bias": bias}),
    }
    preprocess = {"mean": pictures["image_mean"], "std": pictures["image_std"], "resize_mode": "squash"}
    preprocess["interpolation"] = "bicubic"
    return Layout(
        config={"model_cfg": model_cfg, "preprocess_cfg": preprocess},
        pieces=[_held(name, tensors[name].float().contiguous()) for name in sorted(tensors)],
        files=_tokenizer_files(folder),
        config_name=CONFIG,
        weights_name=WEIGHTS,
    )


def _config(folder: Path, kinds: tuple[str, ...]) -> dict[str, Any]:
    config: dict[str, Any] = read_json(existing_file(existing_folder(folder) / "config.json"))
    if config.get("model_type") not in kinds:
        raise InputError(
            f"{folder} cannot be exported so",
            expected=f"model_type {' or '.join(kinds)}",
            got=str(config.get("model_type")),
        )
    return config


def _refuse_what_open_clip_has_not(folder: Path, vision: dict[str, Any], text: dict[str, Any]) -> None:
    problems = []
    if vision["hidden_act"] != text["hidden_act"] or vision["hidden_act"] not in ("quick_gelu", "gelu"):
        problems.append(f"its activations are {vision['hidden_act']} and {text['hidden_act']}")
    if {vision["layer_norm_eps"], text["layer_norm_eps"]} != {_EPS}:
        problems.append(f"its norms add {vision['layer_norm_eps']} and {text['layer_norm_eps']}, not {_EPS}")
    if text["eos_token_id"] not in (2, text["vocab_size"] - 1):  # 2 is transformers' sign for the highest
        problems.append("its texts do not end with the highest token")
    if problems:
        raise InputError(f"open_clip would compute {folder} otherwise: {'; '.join(problems)}")


def _vision_cfg(vision: dict[str, Any]) -> dict[str, Any]:
    return {
        "image_size": side(vision["image_size"]),
        "layers": vision["num_hidden_layers"],
        "width": vision["hidden_size"],
        "head_width": vision["hidden_size"] // vision["num_attention_heads"],
        "mlp_ratio": vision["intermediate_size"] / vision["hidden_size"],
        "patch_size": vision["patch_size"],
    }


def _text_cfg(text: dict[str, Any]) -> dict[str, Any]:
    return {
        "context_length": text["max_position_embeddings"],
        "vocab_size": text["vocab_size"],
        "width": text["hidden_size"],
        "heads": text["num_attention_heads"],
        "layers": text["num_hidden_layers"],
        "mlp_ratio": text["intermediate_size"] / text["hidden_size"],
        "hf_tokenizer_name": "the folder's own",
    }


def _tokenizer_files(folder: Path) -> dict[str, str]:
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(folder.iterdir())
        if path.suffix in _KEPT_SUFFIXES and ("token" in path.name or path.name in ("vocab.json", "merges.txt"))
    }


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


def _copied(weights: Weights, spec: TensorSpec, name: str) -> Piece:
    """The tensor under another name, in float32."""
    dtype = torch.float32 if spec.dtype.is_floating_point else spec.dtype
    return Piece((TensorSpec(name, spec.shape, dtype),), lambda: (weights.read(spec.name).to(dtype),))


def _held(name: str, tensor: torch.Tensor) -> Piece:
    return Piece((TensorSpec(name, tuple(tensor.shape), tensor.dtype),), lambda: (tensor,))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"
