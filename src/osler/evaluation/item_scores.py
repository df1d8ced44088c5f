"""Item scores: what each answer of a judged run is worth, kept so that two runs can be compared item by item."""

from collections.abc import Iterable
from pathlib import Path

from osler.core.files import atomic_write, existing_file, read_jsonl
from osler.schema.base import Record

FILE = "item_scores.jsonl"


class ItemScore(Record):
    """One answer. values: by metric, from 0 to 1; None where it was not measured."""

    task: str
    item_id: str
    cluster: str
    values: dict[str, float | None]


def write_item_scores(folder: Path, scores: Iterable[ItemScore]) -> None:
    """Write `item_scores.jsonl`, one line an answer."""
    with atomic_write(folder / FILE, "w") as file:
        file.writelines(f"{score.model_dump_json()}\n" for score in scores)


def read_item_scores(folder: Path) -> list[ItemScore]:
    """The lines of `item_scores.jsonl`, in order."""
    return [ItemScore.model_validate(row) for row in read_jsonl(existing_file(folder / FILE))]
