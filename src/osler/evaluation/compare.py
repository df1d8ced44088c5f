"""Two runs of `osler eval` on the same items: by task and metric the paired difference, its test and its power."""

from collections.abc import Sequence
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.evaluation.journal import read_predictions
from osler.evaluation.results import difference, own_answers, score_answers
from osler.schema.base import Record
from osler.schema.prediction import Prediction
from osler.schema.result import Difference, Result
from osler.scoring.paired import holm
from osler.scoring.scorer import load_metric

_SHOWN = 3
Key = tuple[str, str]


class Comparison(Record):
    """One metric of one task in two runs; `difference` is the second minus the first on the items in both."""

    task: str
    task_version: str
    metric: str
    metric_signature: str
    first: float | None
    second: float | None
    difference: Difference


def has_run(folder: Path) -> bool:
    """Whether the folder holds what a paired comparison reads."""
    return (folder / "results.json").is_file() and (folder / "predictions.jsonl").is_file()


def compare_runs(first: Path, second: Path, *, seed: int = 0) -> list[Comparison]:
    """The tasks and metrics that both runs have, in the first's order; p is adjusted by Holm over all rows.

    Raises:
        InputError: the runs are of other task versions, other items, other gold answers or other forms of a metric, or
            share no task. The message names every difference.
    """
    left, right = _results(first), _results(second)
    rows = [key for key in left if key in right]
    if not rows:
        raise InputError("the two runs share no task and metric", expected=_listed(left), got=_listed(right))
    answers = [_by_task(read_predictions(folder / "predictions.jsonl")) for folder in (first, second)]
    tasks = dict.fromkeys(task for task, _ in rows)
    wrong = [words for key in rows for words in _other_rules(left[key], right[key])]
    wrong += [words for task in tasks for words in _other_items(task, answers[0], answers[1])]
    if wrong:
        raise InputError(
            "the two runs cannot be compared",
            expected="the same task versions, items and metrics",
            got="; ".join(dict.fromkeys(wrong)),
            fix="Run osler eval again for one of them, or osler score where only a metric's form differs.",
        )
    found = [_compare(left[key], answers[0], answers[1], seed) for key in rows]
    adjusted = holm([row.difference.p for row in found])
    return [
        row.model_copy(update={"difference": row.difference.model_copy(update={"p_holm": p})})
        for row, p in zip(found, adjusted, strict=True)
    ]


def _compare(
    result: Result, first: dict[str, list[Prediction]], second: dict[str, list[Prediction]], seed: int
) -> Comparison:
    metric = load_metric(result.metric)
    asked = {name: own_answers(run.get(result.task, [])) for name, run in (("first", first), ("second", second))}
    measured = score_answers(metric, asked)
    scored = list(measured.scored.values())
    ids = [{each.prediction.item_id for each in run} for run in scored]
    common = [[each for each in run if each.prediction.item_id in ids[0] & ids[1]] for run in scored]
    found = difference(metric, common[1], common[0], value=measured.value, seed=seed)
    left_out = len(ids[0] ^ ids[1])
    if left_out:
        words = f"{left_out} items left out: the engine failed on them in one of the runs"
        found = found.model_copy(update={"notes": (*found.notes, words)})
    values = [metric.aggregate([each.pair for each in run]) for run in common]
    return Comparison(
        task=result.task,
        task_version=result.task_version,
        metric=result.metric,
        metric_signature=result.metric_signature,
        first=values[0],
        second=values[1],
        difference=found,
    )


def _other_rules(one: Result, other: Result) -> list[str]:
    wrong = []
    if one.task_version != other.task_version:
        wrong.append(f"task {one.task}: version {one.task_version} and {other.task_version}")
    if one.metric_signature != other.metric_signature:
        wrong.append(f"{one.task} {one.metric}: {one.metric_signature} and {other.metric_signature}")
    return wrong


def _other_items(task: str, first: dict[str, list[Prediction]], second: dict[str, list[Prediction]]) -> list[str]:
    """What differs in the items of a task: ids that only one run has, and golds or clusters that are not the same."""
    left, right = ({p.item_id: p for p in run.get(task, [])} for run in (first, second))
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


def _results(folder: Path) -> dict[Key, Result]:
    results = [Result.model_validate(row) for row in read_json(existing_file(folder / "results.json"))]
    models = sorted({result.model for result in results})
    if len(models) > 1:
        raise InputError(f"{folder} holds results of several models", expected="one run", got=", ".join(models))
    return {(result.task, result.metric): result for result in results}


def _by_task(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """The answers under the image condition."""
    found: dict[str, list[Prediction]] = {}
    for prediction in predictions:
        if prediction.condition == "image":
            found.setdefault(prediction.task, []).append(prediction)
    return found


def _listed(results: dict[Key, Result]) -> str:
    return ", ".join(" ".join(key) for key in results) or "none"
