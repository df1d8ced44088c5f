"""The plain vision transformer (arXiv 2010.11929) in timm's layout, read into transformers' ViTModel.

Read are the sizes tiny, small, base, large and huge with a class token; what differs from them (registers, layer
scale, rotary positions, pooling over patches) is refused by the tensors that it adds.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import ViTConfig, ViTModel

from osler.core.errors import InputError
from osler.core.files import read_json
from osler.model.pretrained.strict import filled, read_tensors
from osler.model.tower import Opened

_NAME = re.compile(r"vit_(tiny|small|base|large|huge)_patch\d+_\d+(?:\..*)?")
_HEADS = {"tiny": 3, "small": 6, "base": 12, "large": 16, "huge": 16}
_NAMES = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj.": "embeddings.patch_embeddings.projection.",
    "norm.": "layernorm.",
}
_IN_BLOCK = {
    "norm1.": "layernorm_before.",
    "norm2.": "layernorm_after.",
    "attn.proj.": "attention.o_proj.",
    "mlp.fc1.": "mlp.fc1.",
    "mlp.fc2.": "mlp.fc2.",
}
_EPS = 1e-6  # timm's


def open_timm(folder: Path, image_size: int | None) -> Opened:
    """A tower in timm's own folder layout; its classification head is left where it is."""
    config = read_json(folder / "config.json")
    if config.get("global_pool", "token") != "token":
        raise InputError(
            f"{folder} pools in a way that is not read", expected="global_pool token", got=str(config["global_pool"])
        )
    tensors = read_tensors(folder, keep=lambda name: not name.startswith("head."))
    stated = config.get("pretrained_cfg", {})
    return vit_opened(tensors, str(config["architecture"]), folder, mean=stated.get("mean"), std=stated.get("std"))


def vit_opened(
    tensors: Mapping[str, torch.Tensor],
    name: str,
    source: Path,
    *,
    mean: list[float] | None = None,
    std: list[float] | None = None,
) -> Opened:
    """The tower that timm calls `name`, with timm's tensors.

    Raises:
        InputError: another architecture, or a tensor that is missing, unexpected or of another shape.
    """
    size = _NAME.fullmatch(name)
    if size is None:
        raise InputError(
            f"{source} holds timm's {name!r}, which is not read",
            expected="vit_(tiny|small|base|large|huge)_patch*_*, with a class token",
        )
    config = _config(tensors, _HEADS[size[1]], source)
    model = filled(lambda: ViTModel(config, add_pooling_layer=False), _renamed(tensors), source)
    return Opened(
        model,
        width=config.hidden_size,
        image_size=config.image_size,
        num_prefix=1,
        pool="class",
        mean=tuple(mean) if mean else None,
        std=tuple(std) if std else None,
    )


def _config(tensors: Mapping[str, torch.Tensor], heads: int, source: Path) -> ViTConfig:
    needed = ("patch_embed.proj.weight", "pos_embed", "blocks.0.mlp.fc1.weight")
    missing = [name for name in needed if name not in tensors]
    if missing:
        raise InputError(f"the weights in {source} lack {missing[0]}", fix="Use the files of one and the same model.")
    width, _, patch, _ = tensors[needed[0]].shape
    blocks = {name.split(".")[1] for name in tensors if name.startswith("blocks.")}
    return ViTConfig(
        hidden_size=width,
        num_hidden_layers=len(blocks),
        num_attention_heads=heads,
        intermediate_size=tensors[needed[2]].shape[0],
        image_size=math.isqrt(tensors["pos_embed"].shape[1] - 1) * patch,
        patch_size=patch,
        layer_norm_eps=_EPS,
        hidden_act="gelu",
        qkv_bias=True,
    )


def _renamed(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if not name.startswith("blocks."):
            found[_replaced(name, _NAMES)] = tensor
            continue
        _, number, inner = name.split(".", 2)
        if inner.startswith("attn.qkv."):
            for part, piece in zip("qkv", tensor.chunk(3), strict=True):
                found[f"layers.{number}.attention.{part}_proj.{inner.removeprefix('attn.qkv.')}"] = piece.clone()
        else:
            found[f"layers.{number}.{_replaced(inner, _IN_BLOCK)}"] = tensor
    return found


def _replaced(name: str, table: Mapping[str, str]) -> str:
    for old, new in table.items():
        if name == old or (old.endswith(".") and name.startswith(old)):
            return new + name[len(old) :]
    return name
