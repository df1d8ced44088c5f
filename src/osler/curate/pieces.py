"""Pieces: the records of a shard through its operators, some at a time, so that its images are never all in memory."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from osler.core.catalog import OPERATORS
from osler.core.config import Config
from osler.core.errors import InputError
from osler.curate.drops import drops_table
from osler.curate.opened import OpenRecord, open_records, rewrite_records
from osler.curate.operator import RECORDS, SAMPLES, Apply, Operator, Workplace
from osler.curate.plan import PlannedRecord, sample_row
from osler.curate.shard_manifest import MediaDigest
from osler.curate.volumes import VolumeStep

OperatorSpec = tuple[str, dict[str, Any]]
"""An operator's name and its options."""
PIECE_RECORDS = 64


class PieceWork:
    """The way of one shard's records; `records` first, then what was found on it.

    Args:
        operators: in order; only those of scope `shard` run.
        volumes: how volumes become slices before the first operator; None where a volume ends the run.
        place: where operators may write.
    """

    def __init__(self, operators: Sequence[OperatorSpec], volumes: VolumeStep | None, place: Workplace) -> None:
        built = [build_operator(spec, place) for spec in operators]
        self._operators = [(operator, apply) for operator, apply in built if operator.scope == "shard"]
        self._volumes = volumes
        self._drops = [drops_table()]
        self.media = MediaDigest()

    def records(self, planned: Sequence[PlannedRecord]) -> Iterator[OpenRecord]:
        """The records that are kept, in order."""
        for start in range(0, len(planned), PIECE_RECORDS):
            piece = planned[start : start + PIECE_RECORDS]
            records, unreadable = open_records(piece, self._volumes)
            self._drops.append(unreadable)
            opened = {record.planned.key: record.sha256s for record in records}
            for record in piece:
                self.media.add(record, opened.get(record.key, {}))
            records, dropped = through_operators(records, self._operators)
            self._drops.append(dropped)
            yield from records

    def drops(self) -> pa.Table:
        """The drops so far."""
        return pa.concat_tables(self._drops)


def through_operators(
    records: list[OpenRecord], operators: Sequence[tuple[Operator, Apply]]
) -> tuple[list[OpenRecord], pa.Table]:
    """The records that operators keep, each after the one before it, and the drops of the others."""
    drops = [drops_table()]
    for operator, apply in operators:
        if records:
            records, dropped = _KEEPERS[operator.level](records, apply)
            drops.append(dropped)
    return records, pa.concat_tables(drops)


def operator_entry(entry: object) -> dict[str, dict[str, Any]]:
    """`name` or `{name: {option: value}}` of a recipe, with all options of the operator spelled out."""
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        raise InputError(f"cannot read operator {entry!r}", expected="a name, or one name with its options")
    name, options = next(iter(entry.items()))
    _, config = read_operator((name, options or {}))
    return {name: config.model_dump(mode="json")}


def build_operator(spec: OperatorSpec, place: Workplace) -> tuple[Operator, Apply]:
    """An operator of the catalogue and the function that its options make."""
    operator, config = read_operator(spec)
    apply = operator.build(config)
    return operator, partial(apply, place=place) if operator.keeps_files else apply


def read_operator(spec: OperatorSpec) -> tuple[Operator, Config]:
    """An operator of the catalogue with its options checked."""
    name, options = spec
    operator: Operator = OPERATORS.load(name)
    return operator, operator.config.parse(options, f"operator {name}")


def _keep_records(records: list[OpenRecord], apply: Apply) -> tuple[list[OpenRecord], pa.Table]:
    rows: list[dict[str, Any]] = [
        {
            "row": number,
            "key": record.planned.key,
            "dataset": record.planned.dataset,
            "split": record.planned.split,
            "sample_ids": [sample.id for sample in record.samples],
            "media_paths": record.paths,
            "media": [record.files[path] for path in record.paths],
        }
        for number, record in enumerate(records)
    ]
    kept = apply(pa.Table.from_pylist(rows, schema=RECORDS))
    ids = {row["key"]: row["sample_ids"] for row in rows}
    drops = [{**row, "id": id} for row in kept.drops.to_pylist() for id in ids[row["id"]]]
    return [records[row] for row in kept.table["row"].to_pylist()], drops_table(drops)


def _keep_samples(records: list[OpenRecord], apply: Apply) -> tuple[list[OpenRecord], pa.Table]:
    pairs = [(number, sample) for number, record in enumerate(records) for sample in record.samples]
    rows = []
    for row, (number, sample) in enumerate(pairs):
        sha256s = [records[number].sha256s.get(ref.path, "") for ref in sample.media]
        rows.append(sample_row(row, sample, records[number].planned.key, sha256s=sha256s))
    kept = apply(pa.Table.from_pylist(rows, schema=SAMPLES))
    left: list[list[Any]] = [[] for _ in records]
    for row in kept.table["row"].to_pylist():
        number, sample = pairs[row]
        left[number].append(sample)
    for record, samples in zip(records, left, strict=True):
        record.samples = samples
    return [record for record in records if record.samples], kept.drops


_KEEPERS = {"sample": _keep_samples, "record": _keep_records, "rewrite": rewrite_records}
