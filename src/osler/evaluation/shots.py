"""Shots: answered questions shown before an item's own, drawn under a seed and never from the item's own group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.evaluation.items import Item, asked_turns, select
from osler.evaluation.task import Task
from osler.schema.sample import Sample, Turn, assistant
from osler.store.shards import Store

NUM_CANDIDATES = 256
_SPLITS = ("train", "validation")


@dataclass(frozen=True, eq=False)
class Shot:
    """An exemplar: its question as the task asks it, and its answer. `row` is its index row in store number `store`."""

    sample: Sample
    turns: tuple[Turn, ...]
    store: int
    row: dict[str, Any]

    @property
    def image_sha256s(self) -> tuple[str, ...]:
        """The hashes of the exemplar's image files, in order."""
        return tuple(self.row["media_sha256"])


def draw_shots(
    task: Task, items: Sequence[Item], stores: Sequence[Store], *, seed: int, suffixes: bool
) -> dict[str, tuple[Shot, ...]]:
    """By item id, the `task.num_shots` exemplars that are shown before the item; nothing where there are none to show.

    All items get the same exemplars, the first of an order drawn under `seed`, except where one of them may not be
    shown: it is of the item's group, shares an image with it, or asks the very same words without an image.

    Raises:
        InputError: an item has too few exemplars.
    """
    if not task.num_shots:
        return {}
    split, candidates = _candidates(task, stores, seed=seed, suffixes=suffixes)
    shots = {}
    for item in items:
        fit = [shot for shot in candidates if _may_be_shown(shot, item)]
        if len(fit) < task.num_shots:
            raise InputError(
                f"task {task.name!r}: item {item.id!r} cannot be shown {task.num_shots} exemplars",
                expected="samples of train or validation that are not of its group and share none of its images",
                got=f"{len(fit)} in {split or 'no split'}",
                fix="Curate the train split, too, or ask with shots: 0.",
            )
        shots[item.id] = tuple(fit[: task.num_shots])
    return shots


def _candidates(task: Task, stores: Sequence[Store], *, seed: int, suffixes: bool) -> tuple[str, list[Shot]]:
    """The split they come from, the first of train and validation that has any and is not asked; and the exemplars."""
    for split in _SPLITS:
        tables = [select(task, store, split) for store in stores] if split != task.split else []
        places = [(number, row) for number, table in enumerate(tables) for row in range(table.num_rows)]
        if places:
            order = generator(seed, "shots", task.name).permutation(len(places))[:NUM_CANDIDATES]
            drawn = [places[position] for position in order]
            return split, [_shot(task, stores, number, tables[number].slice(row, 1).to_pylist()[0], suffixes)
                           for number, row in drawn]  # fmt: skip
    return "", []


def _shot(task: Task, stores: Sequence[Store], number: int, row: dict[str, Any], suffixes: bool) -> Shot:
    sample = stores[number].sample(row)
    answer = sample.answer.letter if sample.answer.kind == "choice" else sample.answer.text
    said = assistant(answer, sample.reasoning if task.reasoning else "")
    return Shot(sample, (*asked_turns(task, sample, suffixes=suffixes), said), number, row)


def _may_be_shown(shot: Shot, item: Item) -> bool:
    same_group = bool(item.sample.group) and shot.sample.group == item.sample.group
    same_image = not set(shot.image_sha256s).isdisjoint(item.image_sha256s)
    same_words = not item.image_sha256s and shot.sample.question == item.sample.question
    return not (same_group or same_image or same_words or shot.sample.id == item.id)
