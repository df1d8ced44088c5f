"""Which tensors an export holds, and where they go in vLLM. Needs nothing installed."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

# Prefixes in the export and in the model class, as vLLM's WeightsMapper takes them.
PREFIXES = {
    "lm_head.": "language_model.lm_head.",
    "model.language_model.": "language_model.model.",
    "model.vision_tower.": "vision_tower.",
    "model.multi_modal_projector.": "multi_modal_projector.",
}
_NORM = ("weight", "bias")
_EXPERTS = ("gate_up_proj", "down_proj")


def vllm_name(name: str) -> str:
    """The name below the model class. What follows `language_model.` is what vLLM's GPT-oss reads itself.

    Raises:
        KeyError: no part of the composition has such a tensor.
    """
    for prefix, new in PREFIXES.items():
        if name.startswith(prefix):
            return new + name.removeprefix(prefix)
    raise KeyError(name)


def expected_names(
    *, num_vision_layers: int, num_text_layers: int, projector_layer_norm: bool, quantized: bool
) -> set[str]:
    """Every tensor of an export, by its name there."""
    projector = ["linear_1", "linear_2", *(["norm"] if projector_layer_norm else [])]
    return {
        "lm_head.weight",
        *(f"model.vision_tower.{name}" for name in _vision(num_vision_layers)),
        *(f"model.multi_modal_projector.{layer}.{kind}" for layer, kind in product(projector, _NORM)),
        *(f"model.language_model.{name}" for name in _text(num_text_layers, quantized)),
    }


def checked(weights: Iterable[tuple[str, Any]], expected: set[str]) -> Iterator[tuple[str, Any]]:
    """Pass the weights on and raise ValueError at the end where one was missing or is not known.

    vLLM's GPT-oss skips a name that it does not know without a word; such a model would answer nonsense.
    """
    seen = set()
    for name, tensor in weights:
        seen.add(name)
        yield name, tensor
    if seen != expected:
        missing, unknown = sorted(expected - seen)[:3], sorted(seen - expected)[:3]
        raise ValueError(f"the weights do not fit config.json: missing {missing}, unknown {unknown}")


def _vision(num_layers: int) -> Iterator[str]:
    yield from ("embeddings.class_embedding", "embeddings.patch_embedding.weight")
    yield "embeddings.position_embedding.weight"
    yield from (f"pre_layrnorm.{kind}" for kind in _NORM)
    attention = [f"self_attn.{name}" for name in ("q_proj", "k_proj", "v_proj", "out_proj")]
    modules = [*attention, "layer_norm1", "layer_norm2", "mlp.fc1", "mlp.fc2"]
    yield from (f"encoder.layers.{n}.{name}.{kind}" for n, name, kind in product(range(num_layers), modules, _NORM))


def _text(num_layers: int, quantized: bool) -> Iterator[str]:
    yield from ("embed_tokens.weight", "norm.weight")
    endings = ("_blocks", "_scales", "_bias") if quantized else ("", "_bias")
    layer = [
        *(f"self_attn.{name}_proj.{kind}" for name, kind in product("qkvo", _NORM)),
        *(f"mlp.router.{kind}" for kind in _NORM),
        *(f"mlp.experts.{name}{ending}" for name, ending in product(_EXPERTS, endings)),
        "self_attn.sinks",
        "input_layernorm.weight",
        "post_attention_layernorm.weight",
    ]
    yield from (f"layers.{n}.{name}" for n, name in product(range(num_layers), layer))
