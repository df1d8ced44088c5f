"""Floating-point operations that a composition needs, from its config alone.

Model FLOPs: what the mathematics asks for, whatever a program does on top (activations computed again, padding,
experts that get no token). A multiplication with its addition counts as two. Against them a machine's utilisation is
measured (MFU: PaLM, arXiv 2204.02311, appendix B).

The passes of a matrix product follow Kaplan et al. (arXiv 2001.08361, section 2.1): per token, 2 operations a
parameter forward, as many for the gradient of its input, as many for the gradient of its weights, so 6 in all.
Attention scores come on top of that; only the tokens that a token may see are counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from osler.core.errors import InputError

# Per product and token or pair: one multiplication, one addition.
_MULTIPLY_ADD = 2
_LAYER_KINDS = ("full_attention", "sliding_attention")


@dataclass(frozen=True)
class Shape:
    """Sizes of a composition that decide its cost. `_matmul` counts weights that multiply each token.

    Args:
        tower_matmul: weights of all tower layers.
        tower_layers, tower_width: for the tower's attention.
        tower_tokens: tokens of a tile inside the tower, a class token included.
        patch_matmul: weights of the patch embedding.
        patches: patches of a tile.
        projector_matmul: weights of the projector.
        tile_tokens: language-model tokens of a tile.
        lm_matmul: weights of all language-model layers that one token passes, so only its own experts.
        head_matmul: weights of the head.
        lm_width: query channels of a language-model layer (heads times their size).
        full_layers, window_layers: language-model layers by what they see.
        window: tokens that a windowed layer sees.
    """

    tower_matmul: int
    tower_layers: int
    tower_width: int
    tower_tokens: int
    patch_matmul: int
    patches: int
    projector_matmul: int
    tile_tokens: int
    lm_matmul: int
    head_matmul: int
    lm_width: int
    full_layers: int
    window_layers: int
    window: int

    @property
    def tower_flops(self) -> float:
        """Forward cost of one tile in the tower; every token of a tile sees all of them."""
        products = self.tower_matmul * self.tower_tokens + self.patch_matmul * self.patches
        scores = 2 * self.tower_layers * self.tower_width * self.tower_tokens**2
        return float(_MULTIPLY_ADD * (products + scores))

    @property
    def projector_flops(self) -> float:
        """Forward cost of one tile in the projector."""
        return float(_MULTIPLY_ADD * self.projector_matmul * self.tile_tokens)


@dataclass(frozen=True)
class Pairs:
    """How many (token, token it sees) pairs a load has in a full layer and in a windowed one."""

    full: float
    window: float


@dataclass(frozen=True)
class Passes:
    """How often each part's forward cost is paid: 1 forward, 2 with the gradient of its input, 3 with its weights'."""

    vision: int
    projector: int
    lm: int


def passes(*, vision: bool, projector: bool, lm: bool) -> Passes:
    """What training these parts costs.

    A frozen part above a trained one passes the gradient of its input down. An LM that learns through LoRA counts as
    frozen: its adapters' own products are below a hundredth of it at the usual ranks.
    """
    below_lm = vision or projector
    return Passes(
        vision=3 if vision else 1,
        projector=3 if projector else 2 if vision else 1,
        lm=3 if lm else 2 if below_lm else 1,
    )


def causal_pairs(lengths: Iterable[float], window: int) -> Pairs:
    """Pairs of documents of these lengths that do not see each other; exact for whole lengths.

    Token i sees itself and the i before it, or `window` in all where the window is shorter.
    """
    full = near = 0.0
    for length in lengths:
        short = min(length, window)
        full += length * (length + 1) / 2
        near += short * (short + 1) / 2 + (length - short) * window
    return Pairs(full=full, window=near)


def flops_per_step(
    shape: Shape,
    tokens: float,
    tiles: float,
    *,
    passed: Passes,
    pairs: Pairs | None = None,
    head_tokens: float | None = None,
) -> float:
    """Model FLOPs of a step, or of a sample.

    Args:
        shape: of the composition.
        tokens: language-model tokens, those of the tiles included, padding left out.
        tiles: tiles through tower and projector.
        passed: what each part pays.
        pairs: what sees what; None takes all tokens as one document.
        head_tokens: tokens that pass the head. None takes all of them, as published figures do; a loss on label
            positions only needs fewer.
    """
    seen = pairs or causal_pairs([tokens], shape.window)
    scores = 2 * shape.lm_width * (shape.full_layers * seen.full + shape.window_layers * seen.window)
    head = shape.head_matmul * (tokens if head_tokens is None else head_tokens)
    lm = _MULTIPLY_ADD * (shape.lm_matmul * tokens + head + scores)
    vision = passed.vision * shape.tower_flops + passed.projector * shape.projector_flops
    return passed.lm * lm + tiles * vision


def shape_of(config: Any) -> Shape:
    """The shape of an OslerConfig.

    Raises:
        InputError: the language model has layers that are neither full nor windowed attention.
    """
    vision, text = config.vision_config, config.text_config
    patches = (config.tile_px // _side(vision.patch_size)) ** 2
    class_tokens = 1 if config.vision_feature_select_strategy == "default" else 0
    unshuffled = vision.hidden_size * round(1 / config.downsample_ratio) ** 2
    kinds = _layer_kinds(text)
    return Shape(
        # Query, key, value and output, then up and down.
        tower_matmul=vision.num_hidden_layers
        * (4 * vision.hidden_size**2 + 2 * vision.hidden_size * vision.intermediate_size),
        tower_layers=vision.num_hidden_layers,
        tower_width=vision.hidden_size,
        tower_tokens=patches + class_tokens,
        patch_matmul=3 * _side(vision.patch_size) ** 2 * vision.hidden_size,
        patches=patches,
        projector_matmul=unshuffled * text.hidden_size + text.hidden_size**2,
        tile_tokens=config.image_seq_length,
        lm_matmul=text.num_hidden_layers * (_attention_matmul(text) + _feed_forward_matmul(text)),
        head_matmul=text.hidden_size * text.vocab_size,
        lm_width=text.num_attention_heads * head_size(text),
        full_layers=kinds.count("full_attention"),
        window_layers=kinds.count("sliding_attention"),
        window=int(getattr(text, "sliding_window", None) or 0),
    )


def experts_per_token(text: Any) -> int:
    """Feed-forward blocks that a token passes in one layer; 1 without experts."""
    return int(getattr(text, "num_experts_per_tok", None) or 1)


def head_size(text: Any) -> int:
    """Channels of one attention head."""
    return int(getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)


def feed_forward_size(text: Any) -> int:
    """Hidden channels of one feed-forward block or expert."""
    return int(getattr(text, "moe_intermediate_size", None) or text.intermediate_size)


def _attention_matmul(text: Any) -> int:
    """Queries and output, keys and values."""
    heads, kv_heads = text.num_attention_heads, getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    return int(2 * text.hidden_size * head_size(text) * (heads + kv_heads))


def _feed_forward_matmul(text: Any) -> int:
    """Gate, up and down of the experts a token visits, and the router that chooses them."""
    experts = getattr(text, "num_local_experts", None) or getattr(text, "num_experts", None) or 0
    return int(3 * text.hidden_size * feed_forward_size(text) * experts_per_token(text) + text.hidden_size * experts)


def _layer_kinds(text: Any) -> list[str]:
    kinds = list(getattr(text, "layer_types", None) or ["full_attention"] * text.num_hidden_layers)
    unknown = sorted(set(kinds) - set(_LAYER_KINDS))
    if unknown:
        raise InputError(
            f"cannot count the cost of {text.model_type} layers of kind {', '.join(unknown)}",
            expected=f"layers of {' or '.join(_LAYER_KINDS)}",
        )
    return kinds


def _side(patch_size: Any) -> int:
    """A patch's side; some towers give height and width, which are equal."""
    return int(patch_size[0] if isinstance(patch_size, (list, tuple)) else patch_size)
