"""Notes: what a task's results say beside their numbers, so that nobody has to guess how they came about."""

import re
from collections.abc import Sequence

from osler.core.files import read_json
from osler.evaluation.canary import Canary
from osler.evaluation.conditions import Ask
from osler.evaluation.items import Item
from osler.evaluation.task import Task
from osler.schema.prediction import Condition
from osler.store.shards import Store

_SEPARATOR = re.compile(r"[+|]")


def prior_note(is_from_train: bool, num_golds: int) -> str:
    """Where the guesses come from."""
    if is_from_train:
        return f"majority and question_prior were taken from {num_golds} train answers"
    return (
        "majority was taken from the evaluated answers themselves, question_prior from those of other clusters: "
        "the data folders hold no train answers of this form"
    )


def condition_notes(items: Sequence[Item], asks: Sequence[Ask], conditions: Sequence[Condition]) -> list[str]:
    """What was not asked, and why."""
    notes = []
    turned = {ask.item.id for ask in asks if ask.condition.startswith("order")}
    if any(condition.startswith("order") for condition in conditions) and len(turned) < len(items):
        words = "no choice, or options not listed a line each"
        notes.append(f"option orders: {len(items) - len(turned)} items were not turned, {words}")
    if not any(item.image_sha256s for item in items):
        return [*notes, "no images: the conditions blind and shuffled do not apply"]
    for condition in conditions:
        missing = len(items) - sum(ask.condition == condition for ask in asks)
        if missing and not condition.startswith("order"):
            notes.append(f"{condition}: {missing} items were not asked, no other cluster has as many images")
    return notes


def overlap_notes(task: Task, items: Sequence[Item], stores: Sequence[Store]) -> list[str]:
    """Shared images between the asked split and train, as `osler curate` counted them in `overlap.json`."""
    notes = []
    for number in sorted({item.store for item in items}):
        path = stores[number].folder / "overlap.json"
        counts = read_json(path) if path.is_file() else {}
        shared = sum(n for pair, n in counts.items() if set(_SEPARATOR.split(pair)) == {"train", task.split})
        if shared:
            notes.append(f"official train and {task.split} splits share images: {shared}")
    return notes


def decode_notes(task: Task, canary: Canary | None, *, seed: int) -> list[str]:
    """Exemplars, and whether answers repeat."""
    shown = (
        [f"{task.num_shots} answered questions shown before each, drawn under seed {seed}"] if task.num_shots else []
    )
    return [note for note in (*shown, canary.note(task.name) if canary else "") if note]
