"""CLIP's two transformers as open_clip names their tensors, and as transformers does; both ways.

open_clip keeps query, key and value of a layer in one matrix and writes the two projections transposed.
"""

from collections.abc import Mapping

import torch

VISION = {
    "class_embedding": "embeddings.class_embedding",
    "conv1.": "embeddings.patch_embedding.",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_pre.": "pre_layrnorm.",
    "ln_post.": "post_layernorm.",
}
TEXT = {
    "token_embedding.": "embeddings.token_embedding.",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.": "final_layer_norm.",
}
_LAYERS = ("transformer.resblocks.", "encoder.layers.")
_IN_LAYER = {
    "ln_1.": "layer_norm1.",
    "ln_2.": "layer_norm2.",
    "attn.out_proj.": "self_attn.out_proj.",
    "mlp.c_fc.": "mlp.fc1.",
    "mlp.c_proj.": "mlp.fc2.",
}
_FUSED = {"attn.in_proj_weight": "weight", "attn.in_proj_bias": "bias"}
_SPLIT = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")


def to_transformers(tensors: Mapping[str, torch.Tensor], table: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """A tower's tensors under transformers' names. One whose name is not known keeps it, so that it will be missed."""
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        layer, inner = _in_layer(name, _LAYERS[0])
        if layer is None:
            found[_renamed(name, table)] = tensor
        elif inner in _FUSED:
            for part, piece in zip(_SPLIT, tensor.chunk(3), strict=True):
                found[f"{_LAYERS[1]}{layer}.{part}.{_FUSED[inner]}"] = piece.clone()
        else:
            found[f"{_LAYERS[1]}{layer}.{_renamed(inner, _IN_LAYER)}"] = tensor
    return found


def to_open_clip(tensors: Mapping[str, torch.Tensor], table: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """A tower's tensors under open_clip's names."""
    back, back_in_layer = ({new: old for old, new in each.items()} for each in (table, _IN_LAYER))
    found: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        layer, inner = _in_layer(name, _LAYERS[1])
        part, _, kind = inner.rpartition(".")
        if layer is None:
            found[_renamed(name, back)] = tensor
        elif part == _SPLIT[0]:
            pieces = [tensors[f"{_LAYERS[1]}{layer}.{each}.{kind}"] for each in _SPLIT]
            found[f"{_LAYERS[0]}{layer}.attn.in_proj_{kind}"] = torch.cat(pieces)
        elif part not in _SPLIT:
            found[f"{_LAYERS[0]}{layer}.{_renamed(inner, back_in_layer)}"] = tensor
    return found


def _in_layer(name: str, prefix: str) -> tuple[str | None, str]:
    """The layer's number and the name within it; None where the tensor is in none."""
    if not name.startswith(prefix):
        return None, name
    number, _, inner = name.removeprefix(prefix).partition(".")
    return number, inner


def _renamed(name: str, table: Mapping[str, str]) -> str:
    for old, new in table.items():
        if name == old or (old.endswith(".") and name.startswith(old)):
            return new + name[len(old) :]
    return name
