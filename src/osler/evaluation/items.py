"""Items: the stored samples that a task asks, each with the cluster it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from osler.core.errors import InputError
from osler.evaluation.task import Task
from osler.schema.sample import Sample, Text, Turn
from osler.store.shards import Store


@dataclass(frozen=True, eq=False)
class Item:
    """One question of a task. `row` is its index row in store number `store`."""

    task: str
    sample: Sample
    turns: tuple[Turn, ...]
    cluster: str
    subgroup: str
    store: int
    row: dict[str, Any]

    @property
    def id(self) -> str:
        """The sample's id; unique within a task."""
        return self.sample.id

    @property
    def image_sha256s(self) -> tuple[str, ...]:
        """The hashes of the item's image files, in order."""
        return tuple(self.row["media_sha256"])


def select(task: Task, store: Store, split: str) -> pa.Table:
    """The index rows of `split` that the task asks for, in stored order; none if the store has no such split."""
    if split not in store.splits():
        return store.table(store.splits()[0]).slice(0, 0)
    table = store.table(split)
    wanted = [("dataset", (task.dataset,)), ("answer_kind", task.kinds)]
    for column, values in [*wanted, ("task", task.tasks)] if task.tasks else wanted:
        table = table.filter(pc.is_in(table[column], pa.array(list(values), pa.string())))
    return table


def load_items(task: Task, stores: Sequence[Store], *, limit: int | None = None, suffixes: bool = True) -> list[Item]:
    """The items of `task` over all stores, in stored order.

    Args:
        task: what to ask.
        stores: where to look; each may hold a part.
        limit: only the first so many.
        suffixes: whether the words that state the answer's form are added to the question.

    Raises:
        InputError: no store has a sample for the task, or two stores hold one sample id.
    """
    items: list[Item] = []
    for number, store in enumerate(stores):
        table = select(task, store, task.split)
        rows = table.slice(0, None if limit is None else limit - len(items)).to_pylist()
        samples = store.samples(rows)
        items += [_item(task, sample, row, number, suffixes) for sample, row in zip(samples, rows, strict=True)]
    if not items:
        raise _nothing(task, stores)
    _check_unique(items)
    return items


def asked_turns(task: Task, sample: Sample, *, suffixes: bool) -> tuple[Turn, ...]:
    """The sample's turns as the task asks them: with the words about the answer's form, if these are wanted."""
    suffix = task.suffix.get(sample.answer.kind, "") if suffixes else ""
    if not suffix:
        return sample.turns
    last = sample.turns[-1]
    return (*sample.turns[:-1], last.model_copy(update={"parts": (*last.parts, Text(text=suffix))}))


def _item(task: Task, sample: Sample, row: dict[str, Any], store: int, suffixes: bool) -> Item:
    return Item(
        task=task.name,
        sample=sample,
        turns=asked_turns(task, sample, suffixes=suffixes),
        cluster=_cluster(task, sample, row),
        subgroup=str(row[task.subgroup]) if task.subgroup else "",
        store=store,
        row=row,
    )


def _cluster(task: Task, sample: Sample, row: dict[str, Any]) -> str:
    """The group, or the images, or where there are none the sample itself."""
    images = "+".join(digest[:16] for digest in row["media_sha256"])
    if task.cluster == "group" and sample.group:
        return sample.group
    return images or sample.group or sample.id


def _check_unique(items: list[Item]) -> None:
    seen: dict[str, Item] = {}
    for item in items:
        if item.id in seen:
            raise InputError(
                f"two samples of task {item.task!r} have the id {item.id!r}",
                got=f"one in data folder {seen[item.id].store}, one in data folder {item.store}",
                fix="Give each data folder once.",
            )
        seen[item.id] = item


def _nothing(task: Task, stores: Sequence[Store]) -> InputError:
    held = {
        f"{row['dataset']}/{row['split']} ({row['task']}, {row['answer_kind']})"
        for store in stores
        for split in store.splits()
        for row in store.table(split).select(["dataset", "split", "task", "answer_kind"]).group_by(
            ["dataset", "split", "task", "answer_kind"]
        ).aggregate([]).to_pylist()
    }  # fmt: skip
    wanted = f"{task.dataset}/{task.split} ({', '.join(task.tasks) or 'any task'}, {' or '.join(task.kinds)})"
    return InputError(
        f"no sample for task {task.name!r}", expected=wanted, got="; ".join(sorted(held)) or "empty data folders"
    )
