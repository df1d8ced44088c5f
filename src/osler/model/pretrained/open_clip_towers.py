"""Towers in open_clip's folder layout: `open_clip_config.json` beside safetensors.

open_clip itself is not needed, and is not imported: it brings torchvision, which cannot be installed beside the CPU
build of torch that Osler pins (docs/decisions/0007-encoders-without-open-clip.md). Its weights are read into
transformers' classes by a mapping of names. Read are:

    vision    CLIP's vision transformer, timm's plain one, CLIP's residual network
    text      CLIP's transformer, BERT
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import BertConfig, BertModel, CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.model.family import side
from osler.model.pretrained.attention_resnet import AttentionResNet
from osler.model.pretrained.open_clip_names import TEXT, VISION, to_transformers
from osler.model.pretrained.strict import filled, read_tensors, refuse_differences
from osler.model.pretrained.timm_vit import vit_opened
from osler.model.pretrained.transformers_towers import load_tokenizer
from osler.model.tower import Opened, Pooling, TextTower

Tensors = dict[str, torch.Tensor]

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
# Settings that change nothing here, and settings of other architectures with the value at which they do nothing.
_IDLE = {
    "timm_model_pretrained",
    "timm_drop",
    "timm_drop_path",
    "patch_dropout",
    "output_tokens",
    "hf_model_pretrained",
}
_IDLE |= {
    "hf_tokenizer_name",
    "tokenizer_mode",
    "tokenizer_kwargs",
    "attn_pooler_queries",
    "attn_pooler_heads",
    "pad_id",
}
_IDLE |= {"eos_id"}
_OFF: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("ls_init_value", "act_kwargs", "norm_kwargs", "block_type"), (None,)),
    **dict.fromkeys(
        ("attentional_pool", "no_ln_pre", "final_ln_after_pool", "qk_norm", "scaled_cosine_attn"), (False,)
    ),
    **dict.fromkeys(("scale_heads", "scale_attn_inner", "scale_attn", "scale_fc", "embed_cls"), (False,)),
    **dict.fromkeys(("no_causal_mask", "proj_bias", "timm_proj_bias"), (False,)),
    "pos_embed_type": ("learnable",),
    "pool_type": ("tok", "argmax"),
    "proj_type": ("linear",),
    "timm_proj": ("linear",),
}
_VISION_KEYS = {
    "layers",
    "width",
    "head_width",
    "mlp_ratio",
    "patch_size",
    "image_size",
    "timm_model_name",
    "timm_pool",
}
_TEXT_KEYS = {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio"}
_TEXT_KEYS |= {"hf_model_name", "hf_proj_type", "hf_pooler_type"}
# Buffers that follow from the configuration.
_DERIVED = re.compile(r"(?:^|\.)(?:attn_mask|position_ids)$")
# A name of the BERT family whose tensors are BERT's own.
_IS_BERT = re.compile(r"(?<!ro)(?<!al)(?<!de)(?<!distil)bert", re.IGNORECASE)
_BERT_HEAD_WIDTH = 64
_POOLS: dict[str, Pooling] = {
    "cls_pooler": "own",
    "cls_last_hidden_state_pooler": "class",
    "mean_pooler": "mean",
}


def open_open_clip(folder: Path, image_size: int | None) -> Opened:
    """Both towers of a folder in open_clip's layout; `image_size` is the folder's own."""
    stated = read_json(folder / CONFIG)
    config, pictures = stated["model_cfg"], stated.get("preprocess_cfg", {})
    vision_cfg, text_cfg = config["vision_cfg"], config.get("text_cfg", {})
    _refuse_unknown(vision_cfg, _VISION_KEYS, folder)
    tensors = {name: each for name, each in read_tensors(folder, file=WEIGHTS).items() if not _DERIVED.search(name)}
    visual = _taken(tensors, "visual.")
    scale, bias = tensors.pop("logit_scale", None), tensors.pop("logit_bias", None)
    opened = _vision(visual, vision_cfg, config, folder)
    text, why = _text(tensors, text_cfg, config, folder)
    return Opened(
        opened.vision,
        width=opened.width,
        image_size=opened.image_size,
        num_prefix=opened.num_prefix,
        pool=opened.pool,
        mean=tuple(pictures["mean"]) if "mean" in pictures else None,
        std=tuple(pictures["std"]) if "std" in pictures else None,
        text=text,
        joint=opened.joint,
        logit_scale=None if scale is None else float(scale.exp()),
        logit_bias=None if bias is None else float(bias),
        without_text=why,
    )


def _vision(tensors: Tensors, cfg: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> Opened:
    embed_dim = int(config["embed_dim"])
    if cfg.get("timm_model_name"):
        return _timm(tensors, cfg, embed_dim, folder)
    image_size = side(cfg.get("image_size", 224))
    if isinstance(cfg.get("layers"), list):
        width, head_width = int(cfg.get("width", 64)), int(cfg.get("head_width", 64))
        options = {"layers": cfg["layers"], "width": width, "heads": width * 32 // head_width}
        vision: Any = filled(
            lambda: AttentionResNet(**options, embed_dim=embed_dim, image_size=image_size), tensors, folder
        )
        return Opened(vision, width=embed_dim, image_size=image_size, joint=nn.Identity())
    width = int(cfg.get("width", 768))
    joint = _projection(tensors.pop("proj", None), (width, embed_dim), "visual.proj", folder)
    made = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=int(width * cfg.get("mlp_ratio", 4.0)),
        num_hidden_layers=int(cfg.get("layers", 12)),
        num_attention_heads=width // int(cfg.get("head_width", 64)),
        image_size=image_size,
        patch_size=int(cfg.get("patch_size", 16)),
        hidden_act=_activation(config),
    )
    vision = filled(lambda: CLIPVisionModel(made), to_transformers(tensors, VISION), folder)
    return Opened(vision, width=width, image_size=image_size, num_prefix=1, joint=joint)


def _timm(tensors: Tensors, cfg: Mapping[str, Any], embed_dim: int, folder: Path) -> Opened:
    if cfg.get("timm_pool", "avg") not in ("", "token"):
        raise InputError(f"{folder} pools in a way that is not read", expected="timm_pool token or empty")
    opened = vit_opened(_taken(tensors, "trunk."), str(cfg["timm_model_name"]), folder)
    weight = tensors.pop("head.proj.weight", None)
    refuse_differences({}, {f"visual.{name}": tuple(each.shape) for name, each in tensors.items()}, folder)
    joint = _projection(
        None if weight is None else weight.T, (opened.width, embed_dim), "visual.head.proj.weight", folder
    )
    return Opened(
        opened.vision, width=opened.width, image_size=opened.image_size, num_prefix=1, pool=opened.pool, joint=joint
    )


def _text(
    tensors: Tensors, cfg: Mapping[str, Any], config: Mapping[str, Any], folder: Path
) -> tuple[TextTower | None, str]:
    """The text tower out of what the vision tower left, all of it; or why there is none."""
    prefix = next((each for each in ("text.", "text_encoder.") if any(name.startswith(each) for name in tensors)), "")
    words = _taken(tensors, prefix)
    refuse_differences({}, {name: tuple(each.shape) for name, each in tensors.items()}, folder)
    if not words:
        return None, f"{folder} holds a vision tower alone"
    name = str(cfg.get("hf_model_name") or "")
    if name and not _IS_BERT.search(name):
        return None, f"its text tower is {name}, which is not read"
    _refuse_unknown(cfg, _TEXT_KEYS, folder)
    build = _bert if name else _clip_text
    model, projection, pooled = build(words, cfg, config, folder)
    tokenizer = load_tokenizer(folder)
    if tokenizer is None:
        return None, f"{folder} has no tokenizer.json"
    longest = int(cfg.get("context_length", 77))
    return TextTower(model, projection, tokenizer, max_tokens=longest, pooled=pooled), ""


def _clip_text(
    tensors: Tensors, cfg: Mapping[str, Any], config: Mapping[str, Any], folder: Path
) -> tuple[Any, nn.Module, Pooling]:
    width = int(cfg.get("width", 512))
    projection = _projection(
        tensors.pop("text_projection", None), (width, config["embed_dim"]), "text_projection", folder
    )
    made = CLIPTextConfig(
        vocab_size=int(cfg.get("vocab_size", 49408)),
        hidden_size=width,
        intermediate_size=int(width * cfg.get("mlp_ratio", 4.0)),
        num_hidden_layers=int(cfg.get("layers", 12)),
        num_attention_heads=int(cfg.get("heads", 8)),
        max_position_embeddings=int(cfg.get("context_length", 77)),
        hidden_act=_activation(config),
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,  # to transformers this means: the place of the highest id, which is open_clip's rule
    )
    return filled(lambda: CLIPTextModel(made), to_transformers(tensors, TEXT), folder), projection, "own"


def _bert(
    tensors: Tensors, cfg: Mapping[str, Any], config: Mapping[str, Any], folder: Path
) -> tuple[Any, nn.Module, Pooling]:
    """BERT's sizes follow from its tensors; each of its heads has 64 channels in every published size."""
    pooler = str(cfg.get("hf_pooler_type", "mean_pooler"))
    if pooler not in _POOLS:
        raise InputError(f"{folder} pools words in a way that is not read", expected=", ".join(_POOLS), got=pooler)
    projection = _bert_projection(_taken(tensors, "proj."), cfg.get("hf_proj_type", "mlp"), folder)
    inner = _taken(tensors, "transformer.")
    refuse_differences({}, {f"text.{name}": tuple(each.shape) for name, each in tensors.items()}, folder)
    table, places = (f"embeddings.{name}_embeddings.weight" for name in ("word", "position"))
    first = "encoder.layer.0.intermediate.dense.weight"
    missing = [name for name in (table, places, first) if name not in inner]
    if missing:
        raise InputError(f"the weights in {folder} lack text.transformer.{missing[0]}")
    vocab_size, width = inner[table].shape
    made = BertConfig(
        vocab_size=vocab_size,
        hidden_size=width,
        num_hidden_layers=len({name.split(".")[2] for name in inner if name.startswith("encoder.layer.")}),
        num_attention_heads=max(1, width // _BERT_HEAD_WIDTH),
        intermediate_size=inner[first].shape[0],
        max_position_embeddings=inner[places].shape[0],
    )
    pooled = _POOLS[pooler]
    model = filled(lambda: BertModel(made, add_pooling_layer=pooled == "own"), inner, folder)
    return model, projection, pooled


def _bert_projection(tensors: Tensors, kind: str | None, folder: Path) -> nn.Module:
    shapes = {name: tuple(each.shape) for name, each in tensors.items()}
    names = {"linear": ("weight",), "mlp": ("0.weight", "2.weight")}.get(str(kind), ())
    if set(names) != set(shapes):
        raise InputError(
            f"the text projection in {folder} is not the one that its configuration states",
            expected=f"hf_proj_type {kind}: {', '.join(f'text.proj.{name}' for name in names) or 'no tensor'}",
            got=", ".join(f"text.proj.{name}" for name in sorted(shapes)) or "no tensor",
        )
    layers = [_linear(tensors[name]) for name in names]
    return nn.Sequential(layers[0], nn.GELU(), layers[1]) if len(layers) == 2 else (layers or [nn.Identity()])[0]


def _projection(stored: torch.Tensor | None, shape: tuple[int, int], name: str, folder: Path) -> nn.Module:
    """A projection that open_clip keeps as [width, joint width]."""
    found = {} if stored is None else {name: tuple(stored.shape)}
    refuse_differences({name: (int(shape[0]), int(shape[1]))}, found, folder)
    return _linear(stored.T) if stored is not None else nn.Identity()


def _linear(weight: torch.Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    layer.weight = nn.Parameter(weight.contiguous().clone())
    return layer


def _activation(config: Mapping[str, Any]) -> str:
    return "quick_gelu" if config.get("quick_gelu") else "gelu"


def _taken(tensors: Tensors, prefix: str) -> Tensors:
    """Move the tensors whose names begin with `prefix` out of the others, without it."""
    return {name.removeprefix(prefix): tensors.pop(name) for name in sorted(tensors) if name.startswith(prefix)}


def _refuse_unknown(cfg: Mapping[str, Any], known: set[str], folder: Path) -> None:
    for key, value in cfg.items():
        if key in known or key in _IDLE or (key in _OFF and value in _OFF[key]):
            continue
        raise InputError(
            f"{folder / CONFIG} asks for {key}: {value!r}, which is not read",
            fix="Open it with open_clip where torchvision can be installed, or name another encoder.",
        )
