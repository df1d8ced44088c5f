"""Journal: predictions on disk, appended as they come, so that a kill loses at most what is being asked."""

import errno
import json
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

    Opening cuts off a last line that was not written whole. How long each answer took goes to `logs/latency.jsonl`
    beside, so that two runs that get the same answers leave the same bytes.

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

    def append(self, predictions: Sequence[Prediction], *, sync: bool = True) -> None:
        """Write predictions, and with `sync` wait until they are on the disk; a kill loses neither.

        Raises:
            DiskFullError: no space is left; what was written of the batch is cut off again.
        """
        kept = [prediction.model_copy(update={"latency_ms": 0.0}) for prediction in predictions]
        data = "".join(f"{prediction.model_dump_json()}\n" for prediction in kept).encode()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            start = file.seek(0, os.SEEK_END)
            try:
                left = memoryview(data)
                while left:
                    left = left[file.write(left) or 0 :]
                if sync:
                    os.fsync(file.fileno())
            except OSError as error:
                file.truncate(start)
                if error.errno in _FULL:
                    raise DiskFullError(f"no space left while writing {self.path}; free some and run again") from error
                raise
        self._remember(kept)
        self._log_latencies(predictions)

    def sync(self) -> None:
        """Wait until all that was appended is on the disk."""
        if self.path.exists():
            with self.path.open("rb") as file:
                os.fsync(file.fileno())

    def settle(self, order: Sequence[Key]) -> list[Prediction]:
        """The predictions for `order`; the file is rewritten if it holds other lines or another order."""
        predictions = [self._held[key] for key in order]
        if self._num_lines != len(order) or list(self._held) != list(order):
            write_predictions(self.path, predictions)
            self._held = dict(zip(order, predictions, strict=True))
            self._num_lines = len(order)
        return predictions

    def _log_latencies(self, predictions: Sequence[Prediction]) -> None:
        path = self.path.parent / "logs" / "latency.jsonl"
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for p in predictions:
                row = {"condition": p.condition, "task": p.task, "item_id": p.item_id, "latency_ms": p.latency_ms}
                file.write(f"{json.dumps(row)}\n")

    def _remember(self, predictions: Sequence[Prediction]) -> None:
        self._num_lines += len(predictions)
        for prediction in predictions:
            self._held[(prediction.condition, prediction.task, prediction.item_id)] = prediction


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """A finished file, one line a prediction."""
    with atomic_write(path, "w") as file:
        file.writelines(f"{prediction.model_dump_json()}\n" for prediction in predictions)


def read_predictions(path: Path) -> list[Prediction]:
    """The predictions of a finished file, each key once. Raises InputError naming a line that is none."""
    predictions, size = _read_whole_lines(existing_file(path))
    if size < Path(path).stat().st_size:
        raise InputError(f"{path} ends in the middle of a line", fix="Run osler eval again to finish it.")
    return list({(p.condition, p.task, p.item_id): p for p in predictions}.values())


def read_answers(path: Path) -> dict[str, Prediction]:
    """The answers of a run by cache key, whether it is finished or was cut; those without a key are left out."""
    predictions, _ = _read_whole_lines(existing_file(path))
    return {p.cache_key: p for p in predictions if p.cache_key and p.status != "error"}


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
