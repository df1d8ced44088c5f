"""The layout of the published gpt-oss-20b: expert weights in MXFP4, everything else in bfloat16."""

from typing import Any

import torch

from osler.core.errors import InputError
from osler.model.layout import Layout, Source
from osler.model.mxfp4 import BLOCK, quantize
from osler.model.weight_files import Piece, TensorSpec, copied

_EXPERTS = (".mlp.experts.gate_up_proj", ".mlp.experts.down_proj")
# What stays as it is, in the form of transformers' Mxfp4Config.
_NOT_CONVERTED = [
    "model.vision_tower",
    "model.multi_modal_projector",
    "model.language_model.layers.*.self_attn",
    "model.language_model.layers.*.mlp.router",
    "model.language_model.embed_tokens",
    "lm_head",
]


def mxfp4_layout(source: Source, *, device: str) -> Layout:
    """Raises InputError where the language model is no GPT-oss or its sizes do not divide into blocks."""
    quantization = {"quant_method": "mxfp4", "modules_to_not_convert": _NOT_CONVERTED}
    return Layout(
        config={**source.config, "dtype": "bfloat16", "quantization_config": quantization},
        pieces=mxfp4_pieces(source, device=device),
        files=source.files(),
    )


def mxfp4_pieces(source: Source, *, device: str) -> list[Piece]:
    """Every tensor; an expert weight `NAME` [E, I, O] becomes `NAME_blocks` [E, O, I/32, 16] and `NAME_scales`."""
    _refuse_unfit(source.config["text_config"])
    return [
        _quantized(source, spec, device) if spec.name.endswith(_EXPERTS) else copied(source.weights, spec)
        for spec in source.weights.specs()
    ]


def _refuse_unfit(text: dict[str, Any]) -> None:
    if text["model_type"] != "gpt_oss":
        raise InputError("MXFP4 is for GPT-oss experts", expected="a gpt_oss language model", got=text["model_type"])
    for key in ("hidden_size", "intermediate_size"):
        if text[key] % BLOCK:
            raise InputError(f"{key} does not divide into MXFP4 blocks of {BLOCK}", got=str(text[key]))


def _quantized(source: Source, spec: TensorSpec, device: str) -> Piece:
    num_experts, num_in, num_out = spec.shape
    shape = (num_experts, num_out, num_in // BLOCK)
    blocks = TensorSpec(f"{spec.name}_blocks", (*shape, BLOCK // 2), torch.uint8)
    scales = TensorSpec(f"{spec.name}_scales", shape, torch.uint8)

    def make() -> tuple[torch.Tensor, ...]:
        try:
            return quantize(source.weights.read(spec.name), device=device)
        except InputError as error:
            raise InputError(f"{spec.name}: {error}") from error

    return Piece((blocks, scales), make)
