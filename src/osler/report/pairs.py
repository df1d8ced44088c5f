"""Pairs: what `osler compare A B --out FILE.json` found of two evaluations, held to the folders that are reported."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.report.evaluations import Evaluation, checked
from osler.schema.base import Record
from osler.schema.result import Difference
from osler.scoring.paired import holm
from osler.scoring.scorer import load_metric

SIGNIFICANT = 0.05
ARROWS = {"above": "▲", "below": "▼", "not told apart": "=", "not measured": "?"}
Side = Literal["above", "below", "not told apart", "not measured"]


class _Run(Record, extra="ignore"):
    folder: str
    predictions_sha256: str


class _Row(Record, extra="ignore"):
    task: str
    metric: str
    difference: Difference


class _File(Record, extra="ignore"):
    first: _Run
    second: _Run
    comparisons: tuple[_Row, ...]


@dataclass(frozen=True)
class Pair:
    """One metric of one task in two evaluations, by place among those reported; `difference` is second minus first.

    p_holm of the difference is adjusted over all rows of all comparisons that the report names.
    """

    task: str
    metric: str
    first: int
    second: int
    difference: Difference


def read_pairs(paths: tuple[Path, ...], evaluations: tuple[Evaluation, ...]) -> tuple[Pair, ...]:
    """The rows of all files, Holm's p over them all.

    Raises:
        InputError: a file is none of `osler compare`, is of predictions that are not reported, or repeats a pair.
    """
    pairs: list[Pair] = []
    seen: dict[frozenset[int], Path] = {}
    for path in paths:
        found = checked(_File, _whole(path), path)
        first, second = (_place(run, evaluations, path) for run in (found.first, found.second))
        both = frozenset((first, second))
        if len(both) == 1 or both in seen:
            raise InputError(
                f"{path} compares what need not be compared",
                expected="each pair of the results once",
                got="one evaluation with itself" if len(both) == 1 else f"the same two as {seen[both]}",
            )
        seen[both] = path
        pairs += [Pair(row.task, row.metric, first, second, row.difference) for row in found.comparisons]
    adjusted = holm([pair.difference.p for pair in pairs])
    return tuple(
        Pair(pair.task, pair.metric, pair.first, pair.second, pair.difference.model_copy(update={"p_holm": p}))
        for pair, p in zip(pairs, adjusted, strict=True)
    )


def not_compared(pairs: tuple[Pair, ...], evaluations: tuple[Evaluation, ...]) -> list[tuple[Evaluation, Evaluation]]:
    """Evaluations that share a task and a metric, of which no comparison is at hand."""
    compared = {frozenset((pair.first, pair.second)) for pair in pairs}
    keys = [{(result.task, result.metric) for result in each.results} for each in evaluations]
    return [
        (evaluations[a], evaluations[b])
        for a, b in combinations(range(len(evaluations)), 2)
        if frozenset((a, b)) not in compared and keys[a] & keys[b]
    ]


def side(difference: Difference, *, turned: bool = False) -> Side:
    """Where the minuend lies of a difference, of its subtrahend if `turned`; "not told apart" at 5 % after Holm."""
    if difference.value is None or difference.p_holm is None:
        return "not measured"
    if difference.p_holm >= SIGNIFICANT or not difference.value:
        return "not told apart"
    return "above" if (difference.value > 0) is not turned else "below"


def is_better(metric: str, where: Side) -> bool | None:
    """Whether to lie there is good; None where nothing is told apart or it is not known which end of it is good."""
    if where not in ("above", "below"):
        return None
    try:
        better = load_metric(metric).better
    except InputError:
        return None  # a metric of another version or program
    return (where == "above") is (better == "higher")


def _whole(path: Path) -> Any:
    found = read_json(existing_file(path))
    if not isinstance(found, dict) or not {"first", "second", "comparisons"} <= set(found):
        raise InputError(
            f"{path} holds no comparison", expected="what osler compare A B --out FILE.json writes", got="another file"
        )
    return found


def _place(run: _Run, evaluations: tuple[Evaluation, ...], path: Path) -> int:
    """Which evaluation it is, by its predictions; among several with the same ones that of the same folder."""
    places = [place for place, each in enumerate(evaluations) if each.compared_sha256 == run.predictions_sha256]
    same = [place for place in places if evaluations[place].folder.resolve() == Path(run.folder).resolve()]
    if not places:
        shown = ", ".join(f"{each.folder} {each.compared_sha256[:12] or 'none'}" for each in evaluations)
        raise InputError(
            f"{path} compares predictions that this report does not hold",
            expected=f"those of its results: {shown}",
            got=f"{run.folder} {run.predictions_sha256[:12]}",
            fix="Run osler compare again on the folders that results names.",
        )
    return (same or places)[0]
