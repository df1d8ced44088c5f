"""EvalContext: what scoring needs beside the predictions, so that `osler score` needs neither model nor data."""

from pathlib import Path
from typing import Literal

from osler.core.files import read_json, write_json
from osler.schema.base import Record

NAME = "context.json"


class ItemContext(Record):
    """What is known of an item without asking the model: two guesses, and the subgroup and subsets it belongs to.

    subsets: its value in each column by which scores are broken down, such as its modality.
    verdict: what `osler curate check` said of it (`clean`, `flagged`, ...); "" where nobody checked.
    """

    item_id: str
    majority: str | None = None
    question_prior: str | None = None
    subgroup: str = ""
    subsets: dict[str, str] = {}
    verdict: str = ""


class TaskContext(Record):
    """A task as it was asked. `items` are in the order of the predictions."""

    name: str
    version: str
    metrics: tuple[str, ...]
    subgroup: str = ""
    notes: tuple[str, ...] = ()
    items: tuple[ItemContext, ...] = ()


class EvalContext(Record):
    """Written by `osler eval` as `context.json`."""

    schema_version: Literal[1] = 1
    model: str
    seed: int = 0
    tasks: tuple[TaskContext, ...]


def write_context(folder: Path, context: EvalContext) -> None:
    """Write `context.json` beside the predictions that it belongs to."""
    write_json(folder / NAME, context.model_dump(mode="json"))


def read_context(folder: Path) -> EvalContext | None:
    """What `context.json` in `folder` holds; None without one."""
    path = folder / NAME
    return EvalContext.model_validate(read_json(path)) if path.is_file() else None
