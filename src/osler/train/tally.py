"""Sums between two log entries, over micro-batches, gradient accumulation and processes.

Axes: L label positions, S sources, K layers, E experts.
"""

import torch

from osler.model.attention import PADDING
from osler.model.compose import IGNORED_LABEL, OslerCausalLMOutput
from osler.train.parallel import num_processes, summed


class Tally:
    """Counts batches. Nothing is copied off the device before `read`.

    Args:
        sources: names of the batches' sources, as `source_ids` numbers them.
    """

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources
        self._sums: dict[str, torch.Tensor] = {}

    def add(
        self,
        batch: dict[str, torch.Tensor],
        outputs: OslerCausalLMOutput,
        *,
        source_ids_BT: torch.Tensor | None,
        aux_loss: torch.Tensor | None,
    ) -> None:
        """Count one batch and what the model said to it."""
        if outputs.token_losses is None:
            raise ValueError("only what was said to labels can be counted")
        real = batch["document_ids"] != PADDING
        losses_L = outputs.token_losses.double()
        self._add("batches", torch.ones_like(losses_L.sum()))
        self._add("fill", real.double().mean())
        self._add("tokens", real.sum())
        tiles = len(batch.get("pixel_values", ())) - batch.get("num_dummy_tiles", 0)
        self._add("tiles", torch.as_tensor(tiles, device=losses_L.device))
        self._add("labels", torch.ones_like(losses_L).sum())
        self._add("loss", losses_L.sum())
        if aux_loss is not None:
            self._add("aux_loss", aux_loss.detach())
        if outputs.router_load is not None:
            self._add("load_KE", outputs.router_load.double() * real.sum())
        if source_ids_BT is not None and self.sources:
            sources_L = source_ids_BT[:, 1:][batch["labels"][:, 1:] != IGNORED_LABEL]
            zeros_S = losses_L.new_zeros(len(self.sources))
            self._add("labels_S", zeros_S.index_add(0, sources_L, torch.ones_like(losses_L)))
            self._add("loss_S", zeros_S.index_add(0, sources_L, losses_L))

    def read(self) -> dict[str, float]:
        """The means since the last call, over all processes; empty where nothing was counted.

        tokens and tiles are those of one forward pass of all processes. `loss/<source>` is per label.
        `router_max_load/<layer>` is the busiest expert's load over the mean load: 1 is balanced.
        """
        sums = {name: summed(self._sums[name]) for name in sorted(self._sums)}
        self._sums = {}
        if not sums:
            return {}
        batches = sums["batches"]
        found = {
            "fill": sums["fill"] / batches,
            "tokens": sums["tokens"] / batches * num_processes(),
            "tiles": sums["tiles"] / batches * num_processes(),
        }
        if "aux_loss" in sums:
            found["aux_loss"] = sums["aux_loss"] / batches
        if "load_KE" in sums:
            load_KE = sums["load_KE"]
            for layer, busiest in enumerate(load_KE.amax(1) / load_KE.mean(1)):
                found[f"router_max_load/{layer}"] = busiest
        if "labels_S" in sums:
            for name, labels, loss in zip(self.sources, sums["labels_S"], sums["loss_S"], strict=True):
                if labels > 0:
                    found[f"loss/{name}"] = loss / labels
        found["token_loss"] = sums["loss"] / sums["labels"].clamp(min=1)
        return {name: value.item() for name, value in found.items()}

    def _add(self, name: str, value: torch.Tensor) -> None:
        value = value.detach().double()
        self._sums[name] = self._sums[name] + value if name in self._sums else value
