"""Read what a report tells of: results, example cases, training logs, licences and manifests."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from osler.core.files import existing_file, existing_folder, read_json, read_jsonl
from osler.report.encoders import ProtocolGroup, gather_encoders, refusal
from osler.report.evaluations import Case, Evaluation, checked, named, read_evaluation
from osler.report.pairs import Pair, read_pairs
from osler.schema.manifest import Manifest
from osler.schema.result import Result
from osler.store.reader import Store

_SMOOTH_STEPS = 10


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

    evaluations: tuple[Evaluation, ...]
    pairs: tuple[Pair, ...]
    training: tuple[Curve, ...]
    data: tuple[Source, ...]
    manifests: tuple[tuple[str, Manifest], ...]
    warnings: tuple[str, ...]
    encoders: tuple[ProtocolGroup, ...] = ()

    @property
    def results(self) -> tuple[Result, ...]:
        """Of all evaluations, in their order."""
        return tuple(result for evaluation in self.evaluations for result in evaluation.results)

    @property
    def cases(self) -> tuple[Case, ...]:
        """Of all evaluations, in their order."""
        return tuple(case for evaluation in self.evaluations for case in evaluation.cases)


def gather(
    *,
    results: tuple[Path, ...],
    training: tuple[Path, ...],
    data: tuple[Path, ...],
    comparisons: tuple[Path, ...] = (),
    transfer: tuple[Path, ...] = (),
) -> Gathered:
    """Read the folders. Raises InputError where one is missing or holds something else."""
    warnings: list[str] = []
    manifests = []
    for folder in (*data, *training, *results, *transfer):
        if (existing_folder(folder) / "manifest.json").is_file():
            manifests.append((str(folder), _record(Manifest, folder / "manifest.json")))
        else:
            warnings.append(f"{folder} holds no manifest.json: how it was made is not known")
    known = dict(manifests)
    encoders = gather_encoders(transfer)
    warnings += [refusal(encoders)] if refusal(encoders) else []
    evaluations = named(tuple(read_evaluation(folder, known.get(str(folder))) for folder in results))
    return Gathered(
        evaluations=evaluations,
        pairs=read_pairs(comparisons, evaluations),
        training=tuple(_curve(folder) for folder in training),
        data=tuple(source for folder in data for source in _sources(folder)),
        manifests=tuple(manifests),
        warnings=tuple(warnings),
        encoders=encoders,
    )


def _record(kind: type[Manifest], path: Path) -> Manifest:
    return checked(kind, read_json(path), path)


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
