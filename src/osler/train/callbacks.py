"""What happens beside the steps: metrics on disk, a progress bar, whole checkpoints told from torn ones."""

import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations import TensorBoardCallback

from osler.core.errors import InputError, OslerError
from osler.core.files import atomic_write, write_json
from osler.core.log import Log
from osler.train.parallel import wait_for_all

_WHOLE = "whole.json"


class MetricsFile(TrainerCallback):
    """Keeps `metrics.jsonl` equal to the trainer's log, so that a resumed run has each step once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the whole log anew; it survives in the checkpoint, the file's tail may not."""
        if state.is_world_process_zero:
            with atomic_write(self.path, "w") as file:
                for entry in state.log_history:
                    file.write(json.dumps(entry, sort_keys=True) + "\n")
        if not math.isfinite(state.log_history[-1].get("loss", 0.0)):
            raise OslerError(
                f"the loss is no longer finite at step {state.global_step}. Lower the learning rate or look at the data"
            )


class ProgressBar(TrainerCallback):
    """Moves a bar one step at a time."""

    def __init__(self, log: Log, label: str) -> None:
        self.log = log
        self.label = label
        self._ticks: Iterator[int] | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Show what is left to do."""
        if state.is_world_process_zero:
            left = range(state.global_step, state.max_steps)
            self._ticks = iter(self.log.progress(left, self.label, unit="steps"))
            next(self._ticks, None)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One step done."""
        if self._ticks is not None:
            next(self._ticks, None)


class WholeCheckpoints(TrainerCallback):
    """Marks a checkpoint when the last file of its last process is written."""

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """A log entry is closed before a checkpoint: what it averages over would not survive a kill."""
        if control.should_save:
            control.should_log = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Called by the trainer after everything else of a checkpoint is on disk."""
        wait_for_all()
        if state.is_world_process_zero:
            mark_whole(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")


def mark_whole(folder: Path) -> None:
    """Say that nothing of the checkpoint in `folder` is missing."""
    write_json(folder / _WHOLE, {"step": int(folder.name.rpartition("-")[2]), "saved": int(time.time())})


def last_whole_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; torn ones are removed."""
    whole: list[tuple[int, Path]] = []
    for checkpoint in sorted(folder.glob("checkpoint-*")):
        if (checkpoint / _WHOLE).is_file():
            whole.append((int(checkpoint.name.rpartition("-")[2]), checkpoint))
        else:
            shutil.rmtree(checkpoint)
    return max(whole)[1] if whole else None


def tensorboard(folder: Path) -> TensorBoardCallback:
    """Curves below `folder`. Raises InputError where TensorBoard is not installed."""
    try:
        callback = TensorBoardCallback()
    except RuntimeError as error:
        raise InputError(
            "recipe: report_to names tensorboard, which is not installed",
            fix="pip install tensorboard, or set report_to: [].",
        ) from error
    callback.logging_dir = str(folder)
    return callback


def callbacks(
    out: Path, log: Log, *, report_to: tuple[str, ...], patience: int | None, meter: TrainerCallback | None
) -> list[TrainerCallback]:
    """What watches a training. A callback that adds to a log entry goes before the one that writes it."""
    return [
        *([meter] if meter else []),
        WholeCheckpoints(),
        MetricsFile(out / "metrics.jsonl"),
        ProgressBar(log, out.name),
        *([tensorboard(out / "logs")] if "tensorboard" in report_to else []),
        *([EarlyStoppingCallback(patience)] if patience else []),
    ]
