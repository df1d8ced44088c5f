"""Towers as encoders use them: pixels to pooled features, words to the space that both are compared in.

Axes: B images or texts, C H W pixels, D features, E channels of the joint space, T tokens.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from osler.core.errors import InputError
from osler.core.files import sha256_json

# `own`: what the model itself returns as pooled; `class`: its first token; `mean`: of its patches.
Pooling = Literal["own", "class", "mean"]


class Tower(nn.Module):
    """Pixels to pooled features, trainable as it is.

    Args:
        model: a vision model as transformers has them: called with `pixel_values`, it returns `last_hidden_state`
            [B, tokens, D] and, where it pools itself, `pooler_output` [B, D].
        image_size: side in pixels.
        pool: see `Encoder`.
        num_prefix: tokens before the patches: the class token and registers.
        options: further arguments of the model's call.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        image_size: int,
        pool: Pooling = "own",
        num_prefix: int = 0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.image_size = image_size
        self.pool = pool
        self.num_prefix = num_prefix
        self.options = dict(options or {})

    def forward(self, pixels_BCHW: torch.Tensor) -> torch.Tensor:
        """Features [B, D], float32, of normalised pixels.

        Raises:
            InputError: pixels of another size or kind.
        """
        shape = tuple(pixels_BCHW.shape)
        if len(shape) != 4 or shape[1:] != (3, self.image_size, self.image_size):
            raise InputError(
                "pixels of another size than the encoder's",
                expected=f"[images, 3, {self.image_size}, {self.image_size}]",
                got=str(list(shape)),
                fix="Resize the images to the encoder's image_size; gray becomes three equal channels.",
            )
        if not pixels_BCHW.is_floating_point():
            raise InputError(
                "pixels that are not normalised", expected="floating point", got=str(pixels_BCHW.dtype),
                fix="Scale them to 0-1, take the encoder's mean off and divide by its std.",
            )  # fmt: skip
        outputs = self.model(pixel_values=pixels_BCHW, **self.options)
        return self._pooled(outputs).float()

    def _pooled(self, outputs: Any) -> torch.Tensor:
        if self.pool == "own":
            return outputs.pooler_output
        if self.pool == "class":
            return outputs.last_hidden_state[:, 0]
        return outputs.last_hidden_state[:, self.num_prefix :].mean(dim=1)


class TextTower(nn.Module):
    """Words to the space that images are compared in.

    Args:
        model: a text model as transformers has them.
        projection: its pooled output to the joint space.
        tokenizer: of the same folder.
        max_tokens: longer texts are cut.
        pad_to_max: whether every text is filled up to `max_tokens`, as SigLIP's were in training.
        pooled: `own` takes the model's `pooler_output`, `class` its first token, `mean` that of all but padding.
        needs_mask: whether the model is told which tokens are padding; SigLIP's was not.
    """

    def __init__(
        self,
        model: nn.Module,
        projection: nn.Module,
        tokenizer: Any,
        *,
        max_tokens: int,
        pad_to_max: bool = False,
        pooled: Pooling = "own",
        needs_mask: bool = True,
    ) -> None:
        super().__init__()
        self.model = model
        self.projection = projection
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.pad_to_max = pad_to_max
        self.pooled = pooled
        self.needs_mask = needs_mask

    def tokens(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """`input_ids` [B, T] and, where the model takes one, `attention_mask`, on the CPU."""
        encoded = self.tokenizer(
            list(texts),
            padding="max_length" if self.pad_to_max else "longest",
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        )
        kept = ("input_ids", "attention_mask") if self.needs_mask else ("input_ids",)
        return {name: encoded[name] for name in kept}

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """Features [B, E], float32, not normalised."""
        device = next(self.parameters()).device
        return self.embed({name: each.to(device) for name, each in self.tokens(texts).items()})

    def embed(self, tokens: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features [B, E] of what `tokens` returns, on the model's device."""
        outputs = self.model(**tokens)
        if self.pooled == "mean":
            mask_BT1 = tokens["attention_mask"].unsqueeze(-1).to(outputs.last_hidden_state.dtype)
            pooled = (outputs.last_hidden_state * mask_BT1).sum(1) / mask_BT1.sum(1)
        else:
            pooled = outputs.pooler_output if self.pooled == "own" else outputs.last_hidden_state[:, 0]
        return self.projection(pooled).float()


@dataclass(frozen=True)
class Opened:
    """What a layout finds in a folder: the modules, before they are an encoder of a name.

    Args:
        vision: the vision model; `image_size`, `num_prefix` and `options` as `Tower` takes them.
        width: channels of its features.
        pool: how the layout pools, unless the entry says otherwise.
        mean, std: as the folder states them.
    """

    vision: nn.Module
    width: int
    image_size: int
    num_prefix: int = 0
    pool: Pooling = "own"
    options: Mapping[str, Any] = field(default_factory=dict)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    text: TextTower | None = None
    joint: nn.Module | None = None
    logit_scale: float | None = None
    logit_bias: float | None = None
    without_text: str = "it was trained on images alone"


def weights_sha256(tower: Tower) -> str:
    """The SHA-256 of a tower's numbers, their names and shapes, its class and how it pools."""
    digest = hashlib.sha256()
    used = {"class": type(tower.model).__name__, "pool": tower.pool, "image_size": tower.image_size}
    digest.update(sha256_json({**used, "options": tower.options}).encode())
    for name, tensor in sorted(tower.model.state_dict().items()):
        plain = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {plain.dtype} {list(plain.shape)}\n".encode())
        digest.update(plain.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
