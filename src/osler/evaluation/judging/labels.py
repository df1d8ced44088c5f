"""Labels: verdicts on units by people, and how they and the judges agree."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from osler.core.config import first_problem
from osler.core.errors import InputError
from osler.core.files import read_jsonl
from osler.schema.base import Record
from osler.scoring.agreement import Level, agreement
from osler.scoring.pkr import Axis, UnitVerdict

Key = tuple[str, str, str]
"""`task~item`, axis and unit."""


class Label(Record):
    """A line of a file of labels. reason, problem: ignored, so that `verdicts.jsonl` of another run may be given."""

    rater: str
    task: str
    item_id: str
    axis: Axis
    unit_id: str
    presence: Literal[0, 1, 2] | None
    correctness: Literal[-1, 0, 1] | None = None
    reason: str = ""
    problem: str = ""


def read_labels(paths: Sequence[Path], known: set[Key]) -> dict[str, dict[Key, UnitVerdict]]:
    """The verdicts by rater and unit.

    Raises:
        InputError: a line is no label, is of a unit that is not judged here, or repeats one.
    """
    found: dict[str, dict[Key, UnitVerdict]] = {}
    for path in paths:
        for number, row in enumerate(read_jsonl(path), start=1):
            where = f"{path} line {number}"
            try:
                label = Label.model_validate(row)
            except ValidationError as error:
                raise InputError(f"{where} is no label: {first_problem(error)}") from error
            key = (f"{label.task}~{label.item_id}", label.axis, label.unit_id)
            own = found.setdefault(f"label:{label.rater}", {})
            if key not in known:
                raise InputError(f"{where} is of a unit that is not judged here", got=" ".join(key))
            if key in own:
                raise InputError(f"{where} labels a unit twice", got=f"{label.rater}: {' '.join(key)}")
            own[key] = UnitVerdict(label.axis, label.unit_id, label.presence, label.correctness)
    return found


def agreements(
    raters: Mapping[str, Mapping[Key, UnitVerdict]], clusters: Mapping[str, Hashable], *, seed: int
) -> list[dict[str, Any]]:
    """How each two raters agree, and all together where there are more, on presence and on correctness.

    Presence is compared on units that both read, correctness on those that both found there.
    """
    rows = []
    sets = [*combinations(raters, 2), *([tuple(raters)] if len(raters) > 2 else [])]
    for names in sets:
        for about in ("presence", "correctness"):
            ratings = {name: _ratings(raters[name], about) for name in names}
            rows.append(agreement_row(about, ratings, clusters, level="ordinal", seed=seed))
    return rows


def agreement_row(
    about: str,
    ratings: Mapping[str, Mapping[Hashable, float]],
    clusters: Mapping[str, Hashable],
    *,
    level: Level,
    seed: int,
) -> dict[str, Any]:
    """One row of `agreement.json`. The first part of a unit's key names its item."""
    owners = {key: clusters[_item(key)] for own in ratings.values() for key in own}
    found = agreement(ratings, owners, level=level, seed=seed)
    return {"about": about, **found._asdict(), "raters": list(found.raters), "alpha": found.alpha._asdict()}


def _item(key: Any) -> str:
    return str(key[0])


def _ratings(verdicts: Mapping[Key, UnitVerdict], about: str) -> dict[Hashable, float]:
    values: Iterable[tuple[Key, int | None]] = (
        (key, verdict.presence if about == "presence" else verdict.correctness) for key, verdict in verdicts.items()
    )
    return {key: float(value) for key, value in values if value is not None}
