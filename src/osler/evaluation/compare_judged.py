"""Two judged runs on the same items, such as PKR of two models: the paired differences of what their answers are worth.

What a run keeps of each item is enough: no judge is asked.
"""

from collections.abc import Mapping
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.evaluation.compare import Comparison
from osler.evaluation.item_scores import FILE, ItemScore, read_item_scores
from osler.schema.result import Result
from osler.scoring.paired import compare_scores, holm

_RANGE = (0.0, 1.0)


def has_item_scores(folder: Path) -> bool:
    """Whether the folder is a judged run."""
    return (folder / "results.json").is_file() and (folder / FILE).is_file()


def compare_judged(first: Path, second: Path, *, seed: int = 0) -> list[Comparison]:
    """The tasks and metrics that both runs have, in the first's order; p is adjusted by Holm over all rows.

    Only answers that are measured in both runs count; a note says how many are not.

    Raises:
        InputError: the runs are by other judges or instructions, of other task versions, items or clusters, or share no
            metric.
    """
    left, right = _results(first), _results(second)
    keys = [key for key in left if key in right]
    if not keys:
        raise InputError("the two runs share no task and metric", expected=_named(left), got=_named(right))
    scores = [_by_task(read_item_scores(folder)) for folder in (first, second)]
    wrong = [words for key in keys for words in _unlike(left[key], right[key])]
    wrong += [words for task in dict.fromkeys(task for task, _ in keys) for words in _other_items(task, *scores)]
    if wrong:
        raise InputError(
            "the two runs cannot be compared",
            expected="the same items, judged by the same model with the same instructions",
            got="; ".join(dict.fromkeys(wrong)),
            fix="Judge both with one recipe.",
        )
    rows = [_compare(left[key], scores[0][key[0]], scores[1][key[0]], seed=seed) for key in keys]
    adjusted = holm([row.difference.p for row in rows])
    return [
        row.model_copy(update={"difference": row.difference.model_copy(update={"p_holm": p})})
        for row, p in zip(rows, adjusted, strict=True)
    ]


def _compare(
    result: Result, first: Mapping[str, ItemScore], second: Mapping[str, ItemScore], *, seed: int
) -> Comparison:
    pairs = [(first[item], second[item]) for item in first]
    both = [
        (a, b, one.cluster)
        for one, other in pairs
        if (a := one.values[result.metric]) is not None and (b := other.values[result.metric]) is not None
    ]
    before, after = [a for a, _, _ in both], [b for _, b, _ in both]
    found = compare_scores(after, before, [cluster for _, _, cluster in both], bounds=_RANGE, seed=seed)
    notes = found.notes
    if len(both) < len(pairs):
        notes = (*notes, f"{len(pairs) - len(both)} items left out: not measured in one of the runs")
    return Comparison(
        task=result.task,
        task_version=result.task_version,
        metric=result.metric,
        metric_signature=result.metric_signature,
        first=_mean(before),
        second=_mean(after),
        difference=found.model_copy(update={"notes": notes}),
    )


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _results(folder: Path) -> dict[tuple[str, str], Result]:
    rows = [Result.model_validate(row) for row in read_json(existing_file(folder / "results.json"))]
    return {(row.task, row.metric): row for row in rows}


def _by_task(scores: list[ItemScore]) -> dict[str, dict[str, ItemScore]]:
    found: dict[str, dict[str, ItemScore]] = {}
    for score in scores:
        found.setdefault(score.task, {})[score.item_id] = score
    return found


def _unlike(one: Result, other: Result) -> list[str]:
    wrong = []
    if one.task_version != other.task_version:
        wrong.append(f"task {one.task}: version {one.task_version} and {other.task_version}")
    if one.metric_signature != other.metric_signature:
        wrong.append(f"{one.task} {one.metric}: {one.metric_signature} and {other.metric_signature}")
    return wrong


def _other_items(
    task: str, left: Mapping[str, Mapping[str, ItemScore]], right: Mapping[str, Mapping[str, ItemScore]]
) -> list[str]:
    here, there = left.get(task, {}), right.get(task, {})
    alone = sorted(here.keys() ^ there.keys())
    wrong = [f"task {task}: {len(alone)} items in one run only, such as {alone[0]}"] if alone else []
    moved = [item for item in here if item in there and here[item].cluster != there[item].cluster]
    return [*wrong, *([f"task {task}: {len(moved)} items of other clusters, such as {moved[0]}"] if moved else [])]


def _named(results: Mapping[tuple[str, str], Result]) -> str:
    return ", ".join(" ".join(key) for key in results) or "none"
