"""Batch: rows that are written together, one token each a step; rows join and leave between steps.

Axes: B rows, T places, V vocabulary. Rows stand flush right: the newest token of each in the last place, padding to the
left of the oldest. Padded places are masked out, so a row's numbers are those that it has alone, up to rounding.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPooling

from osler.model.compose import OslerForConditionalGeneration


class Batch:
    """Keys and values of the rows under way.

    Args:
        model: in evaluation mode.
        pad_id: any token; what stands in padded places is never looked at.
    """

    def __init__(self, model: OslerForConditionalGeneration, pad_id: int) -> None:
        self._model, self._pad_id = model, pad_id
        self._cache: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._mask_BT = torch.zeros((0, 0), dtype=torch.long, device=model.device)

    def join(self, prompts: Sequence[Sequence[int]], features: torch.Tensor | None) -> torch.Tensor:
        """Read new rows' prompts and put them below the rows that are there.

        Args:
            prompts: token ids of each new row.
            features: embeddings of the images' tiles in the order of the prompts' image tokens; None without images.

        Returns:
            logits of each new row's next token, float32 [new rows, V].
        """
        length = max(map(len, prompts))
        ids = [[self._pad_id] * (length - len(prompt)) + list(prompt) for prompt in prompts]
        mask = [[0] * (length - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        device = self._model.device
        mask_BT = torch.tensor(mask, device=device)
        cache = DynamicCache()
        images = {} if features is None else {"image": BaseModelOutputWithPooling(pooler_output=features)}
        logits = self._forward(
            torch.tensor(ids, device=device), mask_BT, (mask_BT.cumsum(-1) - 1).clamp(min=0), cache, images
        )
        self._append(cache, mask_BT)
        return logits

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Write one token to each row, ids [B]; returns the logits of the next, float32 [B, V]."""
        ones = self._mask_BT.new_ones((len(self._mask_BT), 1))
        self._mask_BT = torch.cat([self._mask_BT, ones], dim=1)
        positions = self._mask_BT.sum(-1, keepdim=True) - 1
        cache = DynamicCache(ddp_cache_data=self._cache)
        logits = self._forward(tokens.view(-1, 1), self._mask_BT, positions, cache, {})
        self._cache = _contents(cache)
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        """Drop the rows that are not named, and the places that none of the others needs."""
        if len(rows) == len(self._mask_BT):
            return
        index = torch.tensor(list(rows), dtype=torch.long, device=self._mask_BT.device)
        mask_BT = self._mask_BT[index]
        longest = int(mask_BT.sum(-1).max()) if len(rows) else 0
        start = mask_BT.shape[1] - longest
        self._mask_BT = mask_BT[:, start:]
        self._cache = [(keys[index, :, start:], values[index, :, start:]) for keys, values in self._cache]
        if not len(rows):
            self._cache = []

    def _forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        positions: torch.Tensor,
        cache: DynamicCache,
        images: dict[str, Any],
    ) -> torch.Tensor:
        outputs = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
            **({"mm_encoder_outputs": images} if images else {}),
        )
        return outputs.logits[:, -1].float()

    def _append(self, cache: DynamicCache, mask_BT: torch.Tensor) -> None:
        contents = _contents(cache)
        if not self._cache:
            self._cache, self._mask_BT = contents, mask_BT
            return
        length = max(mask_BT.shape[1], self._mask_BT.shape[1])
        mask_BT = torch.cat([_flush_right(self._mask_BT, length, 1), _flush_right(mask_BT, length, 1)])
        joined = [
            (
                torch.cat([_flush_right(old_keys, length, 2), _flush_right(keys, length, 2)]),
                torch.cat([_flush_right(old_values, length, 2), _flush_right(values, length, 2)]),
            )
            for (old_keys, old_values), (keys, values) in zip(self._cache, contents, strict=True)
        ]
        self._mask_BT, self._cache = mask_BT, joined  # at once: where memory ends before, the old rows go on


def _contents(cache: DynamicCache) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(layer.keys, layer.values) for layer in cache.layers]


def _flush_right(tensor: torch.Tensor, length: int, axis: int) -> torch.Tensor:
    """Zeros put before the first place of `axis`."""
    missing = length - tensor.shape[axis]
    if not missing:
        return tensor
    shape = list(tensor.shape)
    shape[axis] = missing
    return torch.cat([tensor.new_zeros(shape), tensor], dim=axis)
