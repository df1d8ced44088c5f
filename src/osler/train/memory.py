"""Bytes that a training step keeps on one GPU, estimated from the config: an upper estimate that errs by a quarter.

State is exact. Activations count the tensors that the layers of the pinned transformers keep for the backward pass;
the tests hold them against what autograd really keeps.
"""

from dataclasses import dataclass
from typing import Any, Literal

from osler.train.flops import experts_per_token, feed_forward_size, head_size

Engine = Literal["none", "ddp", "zero3", "fsdp2"]
Dtype = Literal["mixed", "float32", "bfloat16"]
SHARDED: tuple[Engine, ...] = ("zero3", "fsdp2")

# Bytes a parameter of weights, gradient and AdamW's state (two moments; a float32 copy of bfloat16 weights).
_STATE = {"mixed": (2, 2, 12), "float32": (4, 4, 8), "bfloat16": (2, 2, 4)}
# A logit's bytes at the peak: bfloat16, its float32 copy, and the gradient.
_LOGIT_BYTES = 2 + 4 + 4
# Products and attention run in bfloat16, whatever the weights are kept in.
_COMPUTE_BYTES = 2
# Square tensors beside the attention weights that each eager layer keeps: the scores before and after the mask, of one
# layer at a time, and the masks of full and of windowed layers.
_EAGER_SCORES = 2
_EAGER_MASKS = 2
# Logits alive at once when the loss is taken in chunks of positions: what the composition's head does.
CHUNK_LOGITS = 2**27


@dataclass(frozen=True)
class Part:
    """Parameters of one part (`vision`, `projector`, `lm`); `trained` counts those with a gradient, adapters too."""

    name: str
    parameters: int
    trained: int


@dataclass(frozen=True)
class Layout:
    """How a step is laid out.

    Args:
        engine: how several GPUs share the work.
        num_gpus: in all.
        dtype: `float32` weights, `bfloat16` ones, or `mixed`: bfloat16 ones, with float32 ones in the optimizer.
        checkpointing: only the layers' inputs are kept, the rest is computed again.
        eager: the language model's attention builds its scores.
    """

    engine: Engine
    num_gpus: int
    dtype: Dtype
    checkpointing: bool
    eager: bool

    @property
    def num_shards(self) -> int:
        """Over how many GPUs the state is spread."""
        return self.num_gpus if self.engine in SHARDED else 1


@dataclass(frozen=True)
class GpuLoad:
    """What one GPU handles in one pass: `rows` of `row_tokens` tokens, `tiles` and `labels` in all of them."""

    rows: int
    row_tokens: int
    tiles: float
    labels: float

    @property
    def tokens(self) -> int:
        """In all rows."""
        return self.rows * self.row_tokens

    def shortened(self, row_tokens: int) -> "GpuLoad":
        """The same mix in shorter rows."""
        share = row_tokens / self.row_tokens
        return GpuLoad(self.rows, row_tokens, self.tiles * share, self.labels * share)


@dataclass(frozen=True)
class Memory:
    """Bytes on one GPU at the peak. `gathered` is what moving and casting weights takes."""

    weights: float
    gradients: float
    optimizer: float
    gathered: float
    activations: float
    logits: float

    @property
    def state(self) -> float:
        """What lives from step to step."""
        return self.weights + self.gradients + self.optimizer

    @property
    def total(self) -> float:
        """Of all terms; the peaks of activations and logits fall together, at the end of the forward pass."""
        return self.state + self.gathered + self.activations + self.logits


def memory(config: Any, parts: tuple[Part, ...], *, layout: Layout, load: GpuLoad, largest_block: int) -> Memory:
    """Of a step of a composition.

    Args:
        config: an OslerConfig.
        parts: its parameters.
        layout: engine, dtype and the rest.
        load: of one GPU.
        largest_block: parameters that a sharding engine gathers at once.
    """
    weight, gradient, optimizer = _STATE[layout.dtype]
    total = sum(part.parameters for part in parts)
    trained = sum(part.trained for part in parts)
    tower_learns = any(part.trained for part in parts if part.name == "vision")
    return Memory(
        weights=weight * total / layout.num_shards,
        gradients=gradient * trained / layout.num_shards,
        optimizer=optimizer * trained / layout.num_shards,
        gathered=_gathered(layout, largest_block, trained),
        activations=activations(config, load, layout=layout, tower_learns=tower_learns),
        logits=chunked_logits(config, load.labels),
    )


def activations(config: Any, load: GpuLoad, *, layout: Layout, tower_learns: bool) -> float:
    """Bytes kept from the forward pass for the backward pass, less the logits.

    With checkpointing each layer keeps its input, and one layer at a time all the rest. A tower that does not learn
    keeps nothing: no gradient enters it.
    """
    vision, text = config.vision_config, config.text_config
    tile_tokens = load.tiles * ((config.tile_px // _side(vision.patch_size)) ** 2 + 1)
    lm_layer = load.tokens * _lm_layer_bytes(text) + _score_bytes(text, load, layout)
    tower_layer = tile_tokens * _tower_layer_bytes(vision)
    lm = _layers(text.num_hidden_layers, lm_layer, load.tokens * text.hidden_size, layout.checkpointing)
    tower = _layers(vision.num_hidden_layers, tower_layer, tile_tokens * vision.hidden_size, layout.checkpointing)
    passing = _EAGER_SCORES * _score_bytes(text, load, layout) + _EAGER_MASKS * _mask_bytes(load, layout)
    return lm + passing + (tower if tower_learns else tower_layer)


def logits(config: Any, positions: float) -> float:
    """Bytes of the logits of so many positions, with their float32 copy and gradient."""
    return float(_LOGIT_BYTES * positions * config.text_config.vocab_size)


def chunked_logits(config: Any, positions: float) -> float:
    """Bytes of the logits where they are made, used and dropped a chunk of positions at a time."""
    return logits(config, min(positions, CHUNK_LOGITS // config.text_config.vocab_size + 1))


def _gathered(layout: Layout, largest_block: int, trained: int) -> float:
    """What moving and casting takes.

    Sharding: the block at work, the next one on its way, a block of gradients. Else, where float32 weights are cast
    as they are used, the casts, which live through the forward pass; and under DDP the gradients once more.
    """
    if layout.engine in SHARDED and layout.num_gpus > 1:
        return 3 * _COMPUTE_BYTES * largest_block
    casts = _COMPUTE_BYTES * trained if layout.dtype == "float32" else 0
    return casts + (_STATE[layout.dtype][1] * trained if layout.engine == "ddp" else 0)


def _layers(num_layers: int, layer_bytes: float, input_elements: float, checkpointing: bool) -> float:
    if not checkpointing:
        return num_layers * layer_bytes
    return num_layers * _COMPUTE_BYTES * input_elements + layer_bytes


def _lm_layer_bytes(text: Any) -> float:
    """Bytes a token of one language-model layer.

    Two norms keep a float32 input, a float32 result and its copy; attention its queries, keys and values before and
    after the rotation and its output; each of a token's feed-forward blocks its input and output, gate and up, and
    what lies between them and the product.
    """
    heads = text.num_attention_heads * head_size(text)
    kv_heads = (getattr(text, "num_key_value_heads", None) or text.num_attention_heads) * head_size(text)
    norms = 2 * (4 + 4 + _COMPUTE_BYTES) * text.hidden_size
    attention = 3 * heads + 3 * kv_heads
    feed_forward = experts_per_token(text) * (3 * text.hidden_size + 9 * feed_forward_size(text))
    return float(norms + _COMPUTE_BYTES * (attention + feed_forward))


def _tower_layer_bytes(vision: Any) -> float:
    """Bytes a token of one tower layer: two norms in and out, attention's four, the MLP's input through its gate."""
    return float(_COMPUTE_BYTES * (8 * vision.hidden_size + 4 * vision.intermediate_size))


def _score_bytes(text: Any, load: GpuLoad, layout: Layout) -> float:
    """Bytes of one eager layer's attention weights, [rows, heads, tokens, tokens]; a window makes them no fewer."""
    if not layout.eager:
        return 0
    return float(_COMPUTE_BYTES * text.num_attention_heads * load.rows * load.row_tokens**2)


def _mask_bytes(load: GpuLoad, layout: Layout) -> float:
    """Bytes of one additive mask, [rows, 1, tokens, tokens]."""
    return float(_COMPUTE_BYTES * load.rows * load.row_tokens**2) if layout.eager else 0


def _side(patch_size: Any) -> int:
    return int(patch_size[0] if isinstance(patch_size, (list, tuple)) else patch_size)
