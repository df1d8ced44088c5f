"""How fast a run is and what it fills: rates, utilisation and memory beside each logged loss.

Axes: B rows, T tokens.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import distributed
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from osler.model.attention import PADDING
from osler.model.compose import IGNORED_LABEL
from osler.train.flops import Pairs, Passes, Shape, flops_per_step
from osler.train.gpus import GIB

_KEYS = ("tokens", "tiles", "samples", "pairs", "window_pairs", "labels")
_KIB = 1024


class Meter(TrainerCallback):
    """Adds `tokens_per_s`, `tiles_per_s`, `samples_per_s`, `mfu` and `memory_gib` to the entries that hold a loss.

    The trainer calls `count` with every batch it trains on; the rest comes by the trainer's events. Rates are those of
    all processes together, over the steps since the entry before: a resumed run starts anew with its own steps. The
    time of saving and evaluating is left out, waiting for data is not. The only wait for the device is at an entry.

    Args:
        shape: what a token and a tile cost; None where the run has no language model.
        passed: what is paid of it, see `flops.passes`.
        peak_flops: of one device; None where it is not known, and then `mfu` is None.
        device: torch device of this process.
        clock: seconds.
    """

    def __init__(
        self,
        shape: Shape | None,
        passed: Passes | None,
        *,
        peak_flops: float | None,
        device: str = "cpu",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.shape = shape
        self.passed = passed
        self.peak_flops = peak_flops
        self.device = torch.device(device)
        self.clock = clock
        self._counts: torch.Tensor | None = None
        self._seconds = 0.0
        self._since: float | None = None

    def count(self, batch: dict[str, Any]) -> None:
        """Add a batch of `PackCollator` to the step at work. Waits for nothing: sums stay on the batch's device.

        A packed row's token sees as many tokens as its position says, itself included.
        """
        counts = _counted(batch, self.shape.window if self.shape else 0)
        self._counts = counts if self._counts is None else self._counts + counts

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The first step of this process starts the clock."""
        if self._since is None:
            self._since = self.clock()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Saving takes no part in the rates."""
        self._restart()

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Evaluating takes no part in the rates."""
        self._restart()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Count the step's time, up to here: an entry, a checkpoint or an evaluation may follow."""
        self._lap()

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the figures into the entry, unless the trainer has done so already."""
        logs: dict[str, Any] = kwargs["logs"]
        if "loss" not in logs or "tokens_per_s" in logs:
            return
        found = self.figures()
        logs.update(found)
        if state.log_history:
            state.log_history[-1].update(found)

    def figures(self) -> dict[str, float | None]:
        """The figures since the last call; empty where this process has made no step since. All processes call it."""
        if self._counts is None or self._since is None:
            return {}
        counts = dict(zip(_KEYS, _summed(self._counts), strict=True))  # waits until the device has done the steps
        self._lap()
        seconds, self._seconds, self._counts = self._seconds, 0.0, None
        if seconds <= 0:
            return {}
        rates: dict[str, float | None] = {
            f"{key}_per_s": counts[key] / seconds for key in ("tokens", "tiles", "samples")
        }
        return rates | {"mfu": self._mfu(counts, seconds), "memory_gib": peak_memory_gib(self.device)}

    def _mfu(self, counts: dict[str, float], seconds: float) -> float | None:
        if self.shape is None or self.passed is None or self.peak_flops is None:
            return None
        flops = flops_per_step(
            self.shape,
            counts["tokens"],
            counts["tiles"],
            passed=self.passed,
            pairs=Pairs(counts["pairs"], counts["window_pairs"]),
            head_tokens=counts["labels"],
        )
        return flops / (seconds * self.peak_flops * _num_processes())

    def _lap(self) -> None:
        now = self.clock()
        if self._since is not None:
            self._seconds += now - self._since
        self._since = now

    def _restart(self) -> None:
        if self._since is not None:
            self._since = self.clock()


def peak_memory_gib(device: torch.device) -> float:
    """The most that this process has held so far: of the GPU's memory, or resident in the machine's."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device)) / GIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB / GIB


def _counted(batch: dict[str, Any], window: int) -> torch.Tensor:
    """The counts of `_KEYS`, float64: pairs of a step go beyond what float32 counts exactly."""
    documents_BT, branches_BT = batch["document_ids"], batch["branch_ids"]
    real_BT = documents_BT != PADDING
    seen_BT = torch.where(real_BT, batch["position_ids"] + 1, 0)
    starts_BT = branches_BT > 0
    same_BT = (branches_BT[:, 1:] == branches_BT[:, :-1]) & (documents_BT[:, 1:] == documents_BT[:, :-1])
    starts_BT = starts_BT & torch.cat([torch.ones_like(same_BT[:, :1]), ~same_BT], dim=1)
    num_tiles = len(batch["pixel_values"]) if "pixel_values" in batch else 0
    dummies = batch.get("num_dummy_tiles", 0)
    parts = (
        real_BT.sum(),
        torch.as_tensor(num_tiles - dummies, device=real_BT.device),
        (starts_BT & real_BT).sum(),
        seen_BT.sum(),
        seen_BT.clamp(max=window).sum(),
        (batch["labels"] != IGNORED_LABEL).sum(),
    )
    return torch.stack([part.double() for part in parts])


def _num_processes() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1


def _summed(counts: torch.Tensor) -> list[float]:
    """The counts of all processes; the seconds of each are alike, as every step waits for the slowest."""
    if _num_processes() > 1:
        counts = counts.clone()
        distributed.all_reduce(counts)
    return [float(each) for each in counts.tolist()]
