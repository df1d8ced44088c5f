"""Course: what the trainers of every method are given alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osler.core.log import Log
from osler.train.callbacks import callbacks
from osler.train.parallel import World
from osler.train.trainer import Schedule


@dataclass(frozen=True)
class Course:
    """How a training goes.

    order: numbers of the questions or pairs, as they are shown.
    param_groups: what learns, and how fast.
    schedule: steps; its batch is what one forward pass shows.
    out: where checkpoints, metrics and curves are written.
    """

    order: Sequence[int]
    param_groups: list[dict[str, Any]]
    schedule: Schedule
    out: Path
    log: Log

    def world(self, device: Any) -> World:
        """One process: replies are drawn where they are learned from."""
        return World("none", 1, 0, str(device))

    def callbacks(self) -> list[Any]:
        """What watches: the metrics file, checkpoints, the bar, curves."""
        early = self.schedule.early_stop
        patience = early["patience"] if early else None
        return callbacks(self.out, self.log, report_to=self.schedule.report_to, patience=patience, meter=None)
