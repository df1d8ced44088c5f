"""What happens beside the steps: metrics on disk, a progress bar, whole checkpoints told from torn ones."""

import json
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from osler.core.errors import OslerError
from osler.core.files import atomic_write, write_json
from osler.core.log import Log

_WHOLE = "whole.json"


class MetricsFile(TrainerCallback):
    """Keeps `metrics.jsonl` equal to the trainer's log, so that a resumed run has each step once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Write the whole log anew; it survives in the checkpoint, the file's tail may not."""
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
        self._ticks = iter(self.log.progress(range(state.global_step, state.max_steps), self.label, unit="steps"))
        next(self._ticks, None)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """One step done."""
        if self._ticks is not None:
            next(self._ticks, None)


class WholeCheckpoints(TrainerCallback):
    """Marks a checkpoint when its last file is written."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Called by the trainer after everything else of a checkpoint is on disk."""
        folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
        write_json(folder / _WHOLE, {"step": state.global_step, "saved": int(time.time())})


def last_whole_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; torn ones are removed."""
    whole: list[tuple[int, Path]] = []
    for checkpoint in sorted(folder.glob("checkpoint-*")):
        if (checkpoint / _WHOLE).is_file():
            whole.append((int(checkpoint.name.rpartition("-")[2]), checkpoint))
        else:
            shutil.rmtree(checkpoint)
    return max(whole)[1] if whole else None
