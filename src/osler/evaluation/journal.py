"""Journal: predictions on disk, appended a batch at a time, so that a kill loses at most the batch at work."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from osler.core.errors import DiskFullError, InputError
from osler.core.files import atomic_write, existing_file
from osler.schema.prediction import Prediction

Key = tuple[str, str, str]
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Journal:
    """The predictions of one run, by condition, task and item; a later line for the same key replaces an earlier one.

    Opening cuts off a last line that was not written whole.

    Raises:
        InputError: a line that is followed by whole ones cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._held: dict[Key, Prediction] = {}
        self._num_lines = 0
        if self.path.exists():
            predictions, size = _read_whole_lines(self.path)
            if size < self.path.stat().st_size:
                os.truncate(self.path, size)
            self._remember(predictions)

    def get(self, key: Key) -> Prediction | None:
        """The last prediction written for `key`."""
        return self._held.get(key)

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Write a batch and wait until it is on the disk.

        Raises:
            DiskFullError: no space is left; what was written of the batch is cut off again.
        """
        data = "".join(f"{prediction.model_dump_json()}\n" for prediction in predictions).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            start = file.seek(0, os.SEEK_END)
            try:
                left = memoryview(data)
                while left:
                    left = left[file.write(left) or 0 :]
                os.fsync(file.fileno())
            except OSError as error:
                file.truncate(start)
                if error.errno in _FULL:
                    raise DiskFullError(f"no space left while writing {self.path}; free some and run again") from error
                raise
        self._remember(predictions)

    def settle(self, order: Sequence[Key]) -> list[Prediction]:
        """The predictions for `order`; the file is rewritten if it holds other lines or another order."""
        predictions = [self._held[key] for key in order]
        if self._num_lines != len(order) or list(self._held) != list(order):
            with atomic_write(self.path, "w") as file:
                file.writelines(f"{prediction.model_dump_json()}\n" for prediction in predictions)
            self._held = dict(zip(order, predictions, strict=True))
            self._num_lines = len(order)
        return predictions

    def _remember(self, predictions: Sequence[Prediction]) -> None:
        self._num_lines += len(predictions)
        for prediction in predictions:
            self._held[(prediction.condition, prediction.task, prediction.item_id)] = prediction


def read_predictions(path: Path) -> list[Prediction]:
    """The predictions of a finished file, each key once. Raises InputError naming a line that is none."""
    predictions, size = _read_whole_lines(existing_file(path))
    if size < Path(path).stat().st_size:
        raise InputError(f"{path} ends in the middle of a line", fix="Run osler eval again to finish it.")
    return list({(p.condition, p.task, p.item_id): p for p in predictions}.values())


def _read_whole_lines(path: Path) -> tuple[list[Prediction], int]:
    """The predictions up to the first torn line, and the number of bytes they take."""
    predictions: list[Prediction] = []
    size = 0
    bad: tuple[int, str] | None = None
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                prediction = Prediction.model_validate_json(line)
            except ValidationError as error:
                bad = bad or (number, str(error.errors()[0]["msg"]))
                continue
            if bad is not None:
                raise InputError(f"{path} line {bad[0]} is no prediction: {bad[1]}", fix="Restore or remove the file.")
            if line.endswith(b"\n"):
                predictions.append(prediction)
                size += len(line)
    return predictions, size
