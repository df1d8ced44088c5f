"""Runs: what a probe said of a set's test items under one seed, kept so that every score can be made again."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_file, existing_folder, shared_file

FOLDER = "predictions"
_KEY = b"osler"
_SCHEMA = pa.schema(
    [
        ("variant", pa.string()),
        ("item", pa.string()),
        ("group", pa.string()),
        ("gold", pa.list_(pa.int32())),
        ("probabilities", pa.list_(pa.float32())),
        ("flag", pa.string()),
    ]
)


@dataclass(frozen=True, eq=False)
class Answered:
    """One variant of a probe on one set under one seed.

    Args:
        items, groups: of the n test items.
        gold: int64 [n], or bool [n, classes] of a multi-label set.
        probabilities: float32 [n, classes].
        flags: of each item, why it is no unseen one: it copies a training image, or shares its group; "" for neither.
    """

    items: tuple[str, ...]
    groups: tuple[str, ...]
    gold: np.ndarray
    probabilities: np.ndarray
    flags: tuple[str, ...]

    def unflagged(self) -> "Answered":
        """Without the items that are no unseen ones."""
        kept = np.asarray([not flag for flag in self.flags], dtype=bool)
        names = tuple(item for item, keep in zip(self.items, kept, strict=True) if keep)
        groups = tuple(group for group, keep in zip(self.groups, kept, strict=True) if keep)
        return Answered(names, groups, self.gold[kept], self.probabilities[kept], ("",) * int(kept.sum()))


@dataclass(frozen=True, eq=False)
class Run:
    """One encoder, set, probe and seed. `answers` by variant ("" where there is but one), `facts` likewise.

    protocol_sha256: under which it was measured. about: the set's classes and what the encoder's weights are.
    """

    encoder: str
    set_name: str
    probe: str
    seed: int
    classes: tuple[str, ...]
    is_multi_label: bool
    protocol_sha256: str
    answers: dict[str, Answered]
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The path of its file, below the folder of predictions."""
        return f"{self.set_name}/{self.encoder}/{self.probe.rpartition('.')[2]}-{self.seed}.parquet"


def write_run(folder: Path, run: Run) -> None:
    """Write the file of a run below `folder`, whole or not at all."""
    columns: dict[str, list[Any]] = {name: [] for name in _SCHEMA.names}
    for variant, answered in run.answers.items():
        columns["variant"] += [variant] * len(answered.items)
        columns["item"] += answered.items
        columns["group"] += answered.groups
        columns["gold"] += _gold_lists(answered.gold)
        columns["probabilities"] += list(np.asarray(answered.probabilities, np.float32))
        columns["flag"] += answered.flags
    about = {
        "encoder": run.encoder, "set_name": run.set_name, "probe": run.probe, "seed": run.seed,
        "classes": run.classes, "is_multi_label": run.is_multi_label, "protocol_sha256": run.protocol_sha256,
        "facts": run.facts, "about": run.about,
    }  # fmt: skip
    schema = _SCHEMA.with_metadata({_KEY: json.dumps(about, sort_keys=True).encode()})
    # Two ranks that see all features at the same moment write the same file.
    with shared_file(folder / run.name) as part, atomic_write(part) as file:
        pq.write_table(pa.table(columns, schema=schema), file, compression="zstd", compression_level=3)


def read_run(path: Path) -> Run:
    """The run in a file. Raises InputError where it is none."""
    try:
        table = pq.read_table(existing_file(path), partitioning=None)
        about = json.loads((table.schema.metadata or {})[_KEY])
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(
            f"{path} holds no predictions of osler transfer: {error}", fix="Remove it, run again."
        ) from error
    rows = table.to_pydict()
    answers = {}
    for variant in dict.fromkeys(rows["variant"]):
        mine = [row for row, name in enumerate(rows["variant"]) if name == variant]
        gold = [rows["gold"][row] for row in mine]
        answers[variant] = Answered(
            items=tuple(rows["item"][row] for row in mine),
            groups=tuple(rows["group"][row] for row in mine),
            gold=_gold_array(gold, len(about["classes"]), about["is_multi_label"]),
            probabilities=np.asarray([rows["probabilities"][row] for row in mine], np.float32),
            flags=tuple(rows["flag"][row] for row in mine),
        )
    return Run(**{**about, "classes": tuple(about["classes"]), "answers": answers})


def read_runs(folder: Path) -> list[Run]:
    """All runs below the output folder of `osler transfer`, by name."""
    below = existing_folder(folder) / FOLDER
    paths = (path for path in sorted(below.rglob("*.parquet")) if not _is_part(path, below))
    return [read_run(path) for path in paths]


def _is_part(path: Path, below: Path) -> bool:
    """Whether a killed run left it behind, half written."""
    return any(name.startswith(".") for name in path.relative_to(below).parts)


def _gold_lists(gold: np.ndarray) -> list[list[int]]:
    if gold.ndim == 1:
        return [[int(label)] for label in gold]
    return [np.flatnonzero(row).tolist() for row in gold]


def _gold_array(gold: list[list[int]], num_classes: int, is_multi_label: bool) -> np.ndarray:
    if not is_multi_label:
        return np.asarray([labels[0] for labels in gold], dtype=np.int64)
    table = np.zeros((len(gold), num_classes), dtype=bool)
    for row, labels in enumerate(gold):
        table[row, labels] = True
    return table
