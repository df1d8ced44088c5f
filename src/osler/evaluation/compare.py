"""Two runs of `osler eval` on the same items: by task and metric the paired difference, its test and its power."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.evaluation.context import read_context
from osler.evaluation.extraction import open_kept
from osler.evaluation.journal import read_predictions
from osler.evaluation.results import Answered, checked_parts, difference, own_answers, score_answers
from osler.schema.base import Record
from osler.schema.prediction import Prediction
from osler.schema.result import Difference, Result
from osler.scoring.paired import holm
from osler.scoring.scorer import Extracted, load_metric

_SHOWN = 3
Key = tuple[str, str]


class Comparison(Record):
    """One metric of one task in two runs; `difference` is the second minus the first on the items in both.

    `TASK[clean]` and `TASK[flagged]` are the items of which both runs' checks against their training data say so.
    """

    task: str
    task_version: str
    metric: str
    metric_signature: str
    first: float | None
    second: float | None
    difference: Difference


@dataclass(frozen=True)
class _Run:
    """results: by task and metric. asked: by task, what was said under the image condition. parts: the same by part."""

    results: Mapping[Key, Result]
    asked: Mapping[str, list[Prediction]]
    parts: Mapping[str, list[Prediction]]

    def said(self, task: str) -> list[Prediction]:
        """What was said to the questions of a task or of one of its parts."""
        return self.parts[task] if task in self.parts else self.asked.get(task, [])


def has_run(folder: Path) -> bool:
    """Whether the folder holds what a paired comparison reads."""
    return (folder / "results.json").is_file() and (folder / "predictions.jsonl").is_file()


def compare_runs(first: Path, second: Path, *, seed: int = 0) -> list[Comparison]:
    """The tasks and metrics that both runs have, in the first's order; p is adjusted by Holm over all rows.

    Metrics of whole reports are compared by what their models found in the runs; no model is loaded.

    Raises:
        InputError: the runs are of other task versions, other items, other gold answers or other forms of a metric, or
            share no task. The message names every difference.
    """
    left, right = _read_run(first), _read_run(second)
    rows = [key for key in left.results if key in right.results]
    if not rows:
        raise InputError(
            "the two runs share no task and metric", expected=_listed(left.results), got=_listed(right.results)
        )
    _check_alike(left, right, rows)
    with open_kept((first, second)) as kept:
        found = [_compare(key, left, right, extracted=kept, seed=seed) for key in rows]
    adjusted = holm([row.difference.p for row in found])
    return [
        row.model_copy(update={"difference": row.difference.model_copy(update={"p_holm": p})})
        for row, p in zip(found, adjusted, strict=True)
    ]


def _compare(key: Key, left: _Run, right: _Run, *, extracted: Extracted, seed: int) -> Comparison:
    result = left.results[key]
    metric = load_metric(result.metric)
    notes = [f"not measured: {reason}"] if (reason := metric.reason(extracted)) else []
    metric = metric.bound(extracted)
    said, num_alone = _on_both(left.said(result.task), right.said(result.task))
    if num_alone:
        notes.append(f"{num_alone} items left out: only one of the runs counts them to {result.task}")
    measured = score_answers(metric, said)
    scored = list(measured.scored.values())
    ids = [{each.prediction.item_id for each in run} for run in scored]
    common = [[each for each in run if each.prediction.item_id in ids[0] & ids[1]] for run in scored]
    if num_failed := len(ids[0] ^ ids[1]):
        notes.append(f"{num_failed} items left out: the engine failed on them in one of the runs")
    found = difference(metric, common[1], common[0], value=measured.value, seed=seed)
    values = [metric.aggregate([each.pair for each in run]) for run in common]
    return Comparison(
        task=result.task,
        task_version=result.task_version,
        metric=result.metric,
        metric_signature=result.metric_signature,
        first=values[0],
        second=values[1],
        difference=found.model_copy(update={"notes": (*found.notes, *notes)}),
    )


def _on_both(first: Sequence[Prediction], second: Sequence[Prediction]) -> tuple[dict[str, list[Answered]], int]:
    """Both runs' answers to the items that both have, and how many items only one has."""
    left, right = ({prediction.item_id for prediction in run} for run in (first, second))
    said = {
        name: own_answers([prediction for prediction in run if prediction.item_id in left & right])
        for name, run in (("first", first), ("second", second))
    }
    return said, len(left ^ right)


def _check_alike(left: _Run, right: _Run, rows: Sequence[Key]) -> None:
    wrong = [words for key in rows for words in _other_rules(left.results[key], right.results[key])]
    # Which items are in a part hangs on what each model was trained on; in a whole task they must be the same.
    tasks = dict.fromkeys(task for task, _ in rows if task not in left.parts)
    wrong += [words for task in tasks for words in _other_items(task, left.said(task), right.said(task))]
    if wrong:
        raise InputError(
            "the two runs cannot be compared",
            expected="the same task versions, items and metrics",
            got="; ".join(dict.fromkeys(wrong)),
            fix="Run osler eval again for one of them, or osler score where only a metric's form differs.",
        )


def _other_rules(one: Result, other: Result) -> list[str]:
    wrong = []
    if one.task_version != other.task_version:
        wrong.append(f"task {one.task}: version {one.task_version} and {other.task_version}")
    # A metric whose weights one run lacks has another signature there, and is not measured.
    if None not in (one.value, other.value) and one.metric_signature != other.metric_signature:
        wrong.append(f"{one.task} {one.metric}: {one.metric_signature} and {other.metric_signature}")
    return wrong


def _other_items(task: str, first: Sequence[Prediction], second: Sequence[Prediction]) -> list[str]:
    """What differs in the items of a task: ids that only one run has, and golds or clusters that are not the same."""
    left, right = ({p.item_id: p for p in run} for run in (first, second))
    wrong = []
    for name, here, there in (("first", left, right), ("second", right, left)):
        alone = [item for item in here if item not in there]
        if alone:
            shown = ", ".join(alone[:_SHOWN]) + (", ..." if len(alone) > _SHOWN else "")
            wrong.append(f"task {task}: {len(alone)} items only in the {name} run ({shown})")
    both = [item for item in left if item in right]
    for words, changed in (
        ("gold answers", [item for item in both if left[item].gold != right[item].gold]),
        ("clusters", [item for item in both if left[item].cluster != right[item].cluster]),
    ):
        if changed:
            wrong.append(f"task {task}: {len(changed)} items with other {words} ({', '.join(changed[:_SHOWN])})")
    return wrong


def _read_run(folder: Path) -> _Run:
    asked: dict[str, list[Prediction]] = {}
    for prediction in read_predictions(folder / "predictions.jsonl"):
        if prediction.condition == "image":
            asked.setdefault(prediction.task, []).append(prediction)
    context = read_context(folder)
    tasks = [task for task in context.tasks if task.name in asked] if context else []
    parts = {part.name: own for task in tasks for part, own in checked_parts(task, asked[task.name])}
    return _Run(_results(folder), asked, parts)


def _results(folder: Path) -> dict[Key, Result]:
    results = [Result.model_validate(row) for row in read_json(existing_file(folder / "results.json"))]
    models = sorted({result.model for result in results})
    if len(models) > 1:
        raise InputError(f"{folder} holds results of several models", expected="one run", got=", ".join(models))
    return {(result.task, result.metric): result for result in results}


def _listed(results: Mapping[Key, Result]) -> str:
    return ", ".join(" ".join(key) for key in results) or "none"
