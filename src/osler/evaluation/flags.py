"""Flags: which items the training data holds, as `osler curate check` found them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.curate.check import FLAGS
from osler.evaluation.context import TaskContext
from osler.evaluation.items import Item


def flags_path(folder: Path) -> Path:
    """The file of verdicts in a folder that a check wrote."""
    return existing_file(Path(folder) / FLAGS)


def read_verdicts(folder: Path, items: Mapping[str, Sequence[Item]]) -> dict[str, str]:
    """The verdict of each item that a check looked at, by id.

    Raises:
        InputError: the file is none of a check, or the check did not look at an item that is asked.
    """
    path = flags_path(folder)
    try:
        table = pq.read_table(path, columns=["id", "verdict"], partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} holds no verdicts: {error}", fix="Run osler curate check.") from error
    verdicts = dict(zip(table["id"].to_pylist(), table["verdict"].to_pylist(), strict=True))
    for task, asked in items.items():
        missing = [item.id for item in asked if item.id not in verdicts]
        if missing:
            raise InputError(
                f"{folder} says nothing of {len(missing)} items of task {task!r}, such as {missing[0]!r}",
                fix="Run osler curate check with this task's dataset or folder among --against.",
            )
    return verdicts


def with_verdicts(task: TaskContext, verdicts: Mapping[str, str]) -> TaskContext:
    """The task with its items' verdicts and a note of how many have which; unchanged without verdicts."""
    if not verdicts:
        return task
    items = tuple(item.model_copy(update={"verdict": verdicts[item.item_id]}) for item in task.items)
    counts = Counter(item.verdict for item in items)
    words = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
    note = f"items checked against the training data: {words}"
    return task.model_copy(update={"items": items, "notes": (*task.notes, note)})
