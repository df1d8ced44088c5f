"""Read what a report tells of: results, example cases, training logs, licences and manifests."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, read_json, read_jsonl
from osler.schema.base import Record
from osler.schema.manifest import Manifest
from osler.schema.result import Result
from osler.store.reader import Store

T = TypeVar("T", bound=Record)
_SMOOTH_STEPS = 10


class Said(Record, extra="ignore"):
    """What the model said to a case under one condition."""

    raw: str
    parsed: str | None = None
    status: str
    correct: bool | None = None


class Case(Record, extra="ignore"):
    """One item with its images, its gold answer and what was said to it; `folder` holds the images."""

    task: str
    item_id: str
    question: str
    gold: str
    gold_text: str = ""
    options: tuple[str, ...] = ()
    predictions: dict[str, Said]
    images: tuple[str, ...] = ()
    outcome: Literal["right", "wrong", "unparsed"]
    folder: Path = Path()


@dataclass(frozen=True)
class Series:
    """One logged quantity: `values[i]` after `steps[i]` steps. Entries in which it is no finite number are left out."""

    steps: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def last(self) -> float:
        """The mean of the last values."""
        last = self.values[-_SMOOTH_STEPS:]
        return sum(last) / len(last)


@dataclass(frozen=True)
class Curve:
    """The loss of one training run, `losses[i]` after `steps[i]` steps, and by name whatever else it logged."""

    name: str
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    logged: dict[str, Series] = field(default_factory=dict)

    @property
    def last_loss(self) -> float | None:
        """The mean of the last steps' losses; None where none was logged."""
        last = self.losses[-_SMOOTH_STEPS:]
        return sum(last) / len(last) if last else None


@dataclass(frozen=True)
class Source:
    """How many samples and groups (patients, articles) of one split came from one dataset under one licence."""

    dataset: str
    licence: str
    access: str
    split: str
    num_samples: int
    num_groups: int


@dataclass(frozen=True)
class Gathered:
    """All that a report tells of."""

    results: tuple[Result, ...]
    cases: tuple[Case, ...]
    training: tuple[Curve, ...]
    data: tuple[Source, ...]
    manifests: tuple[tuple[str, Manifest], ...]
    warnings: tuple[str, ...]


def gather(*, results: tuple[Path, ...], training: tuple[Path, ...], data: tuple[Path, ...]) -> Gathered:
    """Read the folders. Raises InputError where one is missing or holds something else."""
    warnings: list[str] = []
    manifests = []
    for folder in (*data, *training, *results):
        if (existing_folder(folder) / "manifest.json").is_file():
            manifests.append((str(folder), _record(Manifest, folder / "manifest.json")))
        else:
            warnings.append(f"{folder} holds no manifest.json: how it was made is not known")
    return Gathered(
        results=tuple(result for folder in results for result in _results(folder)),
        cases=tuple(case for folder in results for case in _cases(folder)),
        training=tuple(_curve(folder) for folder in training),
        data=tuple(source for folder in data for source in _sources(folder)),
        manifests=tuple(manifests),
        warnings=tuple(warnings),
    )


def _results(folder: Path) -> list[Result]:
    path = folder / "results.json"
    return [_checked(Result, row, path) for row in _list(path)]


def _cases(folder: Path) -> list[Case]:
    path = folder / "cases.json"
    if not path.is_file():
        return []
    return [_checked(Case, {**row, "folder": folder}, path) for row in _list(path)]


def _list(path: Path) -> list[Any]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise InputError(f"cannot read {path}", expected="a list of records", got=type(rows).__name__)
    return rows


def _record(kind: type[Manifest], path: Path) -> Manifest:
    return _checked(kind, read_json(path), path)


def _checked(kind: type[T], row: Any, path: Path) -> T:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"cannot read {path}: {where}: {first['msg']}", fix="Make it again with this version of osler."
        ) from error


def _curve(folder: Path) -> Curve:
    rows = list(read_jsonl(existing_file(folder / "metrics.jsonl")))
    logged: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, int | float) and math.isfinite(value) and key not in ("step", "epoch"):
                logged.setdefault(key, []).append((int(row["step"]), float(value)))
    with_loss = [row for row in rows if row.get("loss") is not None]
    return Curve(
        name=folder.name,
        steps=tuple(int(row["step"]) for row in with_loss),
        losses=tuple(float(row["loss"]) for row in with_loss),
        logged={key: Series(*map(tuple, zip(*pairs, strict=True))) for key, pairs in logged.items()},
    )


def _sources(folder: Path) -> list[Source]:
    store = Store(folder)
    keys = ["dataset", "licence", "access", "split"]
    found = []
    for split in store.splits():
        table = store.table(split).select([*keys, "group"])
        counted = table.group_by(keys).aggregate([("group", "count"), ("group", "count_distinct")])
        for row in counted.to_pylist():
            num_groups = row.pop("group_count_distinct")
            num_samples = row.pop("group_count")
            found.append(Source(**row, num_samples=num_samples, num_groups=num_groups))
    return sorted(found, key=lambda source: (source.dataset, source.licence, source.split))
