"""Encoders: what `osler transfer` left in folders, by protocol. Scores of two protocols never come together here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, read_json
from osler.report.evaluations import checked
from osler.report.further import is_shown
from osler.schema.encoders import ProbeComparison, SetRecord
from osler.schema.result import Result
from osler.scoring.encoders.compare import compare_encoders
from osler.scoring.encoders.measured import Measured, measured
from osler.scoring.encoders.runs import read_runs

UNSEEN = "/unseen"
MEAN = "mean/"


@dataclass(frozen=True)
class ProtocolGroup:
    """All folders that were measured under one protocol.

    comparisons: of all their encoders, by probe.
    """

    protocol_sha256: str
    folders: tuple[Path, ...]
    results: tuple[Result, ...]
    comparisons: tuple[ProbeComparison, ...]
    sets: tuple[SetRecord, ...]
    warnings: tuple[str, ...] = ()

    @property
    def probes(self) -> tuple[str, ...]:
        """The probes with their variants, in order."""
        return tuple(comparison.probe for comparison in self.comparisons)

    @property
    def encoders(self) -> tuple[str, ...]:
        """All encoders, in order of first appearance."""
        return tuple(dict.fromkeys(name for each in self.comparisons for name in each.encoders))

    @property
    def others(self) -> tuple[Result, ...]:
        """Records that no probe made, and that no table of a section shows."""
        return tuple(each for each in self.results if self.place(each) is None and not is_shown(each))

    def place(self, result: Result) -> tuple[str, str, bool] | None:
        """The set and the probe of a record, and whether it is of unseen items only; None where no probe made it."""
        name, _, probe = result.task.partition("/")
        is_unseen = probe.endswith(UNSEEN)
        probe = probe.removesuffix(UNSEEN)
        known = {each.name for each in self.sets} | {MEAN.removesuffix("/")}
        return (name, probe, is_unseen) if name in known and probe in self.probes else None

    def score(self, set_name: str, probe: str, encoder: str, *, metric: str, unseen: bool = False) -> Result | None:
        """The record of one cell; None where there is none."""
        return self._cells.get((set_name, probe, unseen, encoder, metric))

    @cached_property
    def _cells(self) -> dict[tuple[str, str, bool, str, str], Result]:
        placed = ((self.place(each), each) for each in self.results)
        return {(*place, each.model, each.metric): each for place, each in placed if place is not None}

    def metric(self, set_name: str) -> str:
        """The metric that a set is ranked by."""
        kinds = {each.name: each.multi_label for each in self.sets}
        return "auroc" if kinds.get(set_name) else "macro_f1"


def gather_encoders(folders: tuple[Path, ...]) -> tuple[ProtocolGroup, ...]:
    """The folders by protocol, in order of first appearance. Raises InputError where one is missing or another's."""
    by_protocol: dict[str, list[Path]] = {}
    for folder in folders:
        by_protocol.setdefault(_protocol(existing_folder(folder)), []).append(folder)
    return tuple(_group(digest, tuple(own)) for digest, own in by_protocol.items())


def refusal(groups: tuple[ProtocolGroup, ...]) -> str:
    """What is said where there are several protocols; "" where there is one."""
    if len(groups) < 2:
        return ""
    hashes = ", ".join(group.protocol_sha256[:12] for group in groups)
    return (
        f"These encoders were measured under {len(groups)} different protocols ({hashes}). Their scores are not "
        "comparable: they stand in separate tables below and are not ranked together. To rank them, measure all with "
        "the same section `protocol`."
    )


def _group(digest: str, folders: tuple[Path, ...]) -> ProtocolGroup:
    sets: dict[str, SetRecord] = {}
    warnings: list[str] = []
    for folder in folders:
        for record in (checked(SetRecord, row, folder / "sets.json") for row in _rows(folder / "sets.json")):
            known = sets.setdefault(record.name, record)
            if known.items_sha256 != record.items_sha256:
                warnings.append(f"set {record.name} of {folder} holds other images than that of {folders[0]}")
    if len(folders) == 1:
        comparisons = _comparisons(folders[0])
    else:
        ones = measured(run for folder in folders for run in read_runs(folder))
        mixed = _mixed(ones)
        warnings += [f"{probe}, which was measured with different settings" for probe in mixed]
        comparisons = tuple(compare_encoders([one for one in ones if one.probe not in mixed]))
    results = tuple(
        checked(Result, row, folder / "results.json") for folder in folders for row in _rows(folder / "results.json")
    )
    warnings += [f"{each.probe}: {why}" for each in comparisons for why in each.left_out]
    return ProtocolGroup(digest, folders, results, comparisons, tuple(sets.values()), tuple(warnings))


def _mixed(ones: Sequence[Measured]) -> list[str]:
    """The probes that were measured under several hashes, as zero-shot classification with other prompts is."""
    hashes: dict[str, set[str]] = {}
    for one in ones:
        hashes.setdefault(one.probe, set()).add(one.protocol_sha256)
    return [probe for probe, found in hashes.items() if len(found) > 1]


def _protocol(folder: Path) -> str:
    """The hash of the protocol alone."""
    found = read_json(existing_file(folder / "protocol.json"))
    if not isinstance(found, dict) or not isinstance(found.get("sha256"), str):
        raise InputError(
            f"{folder} compares no encoders", expected="what osler transfer writes", got="no protocol hash"
        )
    return str(found["sha256"])


def _comparisons(folder: Path) -> tuple[ProbeComparison, ...]:
    path = folder / "comparisons.json"
    return tuple(checked(ProbeComparison, row, path) for row in _rows(path))


def _rows(path: Path) -> list[Any]:
    rows = read_json(existing_file(path))
    if not isinstance(rows, list):
        raise InputError(f"cannot read {path}", expected="a list of records", got=type(rows).__name__)
    return rows
