"""OpenRecord: a record on its way into a shard with the bytes of its files, and operators that rewrite such records."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.curate.drops import drop, drops_table
from osler.curate.operator import REWRITES, Apply
from osler.curate.plan import PlannedRecord
from osler.curate.volumes import Cut, VolumeStep, cut_volumes, has_volume
from osler.datasets.media import read_media
from osler.schema.sample import Sample

_DERIVED = re.compile("#")


@dataclass
class OpenRecord:
    """A record, its samples so far, and the bytes of its files by media or mask path; None where one is missing."""

    planned: PlannedRecord
    samples: list[Sample]
    files: dict[str, bytes | None]

    @cached_property
    def sha256s(self) -> dict[str, str]:
        """The SHA-256 of each file that is there."""
        return {path: sha256_bytes(data) for path, data in self.files.items() if data is not None}

    @property
    def paths(self) -> list[str]:
        """The images that the samples show, each once."""
        return list(dict.fromkeys(ref.path for sample in self.samples for ref in sample.media))


def open_records(records: Iterable[PlannedRecord], step: VolumeStep | None) -> tuple[list[OpenRecord], pa.Table]:
    """Records with their files, volumes cut into slices, and a drop for each sample about one that cannot be shown."""
    opened, drops = [], []
    for record in records:
        cut = Cut(record.samples)
        if any(map(has_volume, record.samples)):
            cut = cut_volumes(record.samples, record.folder, record.places, step=step)
        if cut.reason:
            drops += [drop(sample.id, "volumes", cut.reason) for sample in cut.samples]
        else:
            opened.append(OpenRecord(record, list(cut.samples), _files(record, cut)))
    return opened, drops_table(drops)


def rewrite_records(records: list[OpenRecord], apply: Apply) -> tuple[list[OpenRecord], pa.Table]:
    """What an operator of level `rewrite` makes of records, and its drops.

    Raises:
        InputError: the operator lost a sample without a drop, or names a file that it does not give.
    """
    kept = apply(pa.Table.from_pylist([_row(number, record) for number, record in enumerate(records)], schema=REWRITES))
    ids = {record.planned.key: [sample.id for sample in record.samples] for record in records}
    drops = [{**row, "id": id} for row in kept.drops.to_pylist() for id in ids.get(row["id"], [row["id"]])]
    opened = [_opened(row, records[row["row"]]) for row in kept.table.to_pylist()]
    _check_none_lost(
        before=[id for each in ids.values() for id in each],
        after=[sample.id for record in opened for sample in record.samples],
        dropped={row["id"] for row in drops},
    )
    return [record for record in opened if record.samples], drops_table(drops)


def _files(record: PlannedRecord, cut: Cut) -> dict[str, bytes | None]:
    paths = _all_paths(cut.samples)
    return {p: cut.files.get(p) or read_media(record.folder, record.places.get(p, p)) for p in paths}


def _row(number: int, record: OpenRecord) -> dict[str, Any]:
    return {
        "row": number,
        "key": record.planned.key,
        "dataset": record.planned.dataset,
        "split": record.planned.split,
        "sample_ids": [sample.id for sample in record.samples],
        "media_paths": list(record.files),
        "media": list(record.files.values()),
        "samples": [sample.model_dump_json(exclude_defaults=True) for sample in record.samples],
    }


def _opened(row: dict[str, Any], source: OpenRecord) -> OpenRecord:
    samples = [Sample.model_validate_json(text) for text in row["samples"]]
    files = dict(zip(row["media_paths"], row["media"], strict=True))
    needed = _all_paths(samples)
    if lost := [path for path in needed if path not in files]:
        raise InputError(f"an operator gave record {row['key']!r} no file {lost[0]!r}", fix="Correct the operator.")
    planned = replace(source.planned, key=row["key"], samples=tuple(samples))
    return OpenRecord(planned, samples, {path: files[path] for path in needed})


def _all_paths(samples: Iterable[Sample]) -> list[str]:
    """The paths of images and masks, each once."""
    refs = [ref for sample in samples for ref in sample.media]
    return list(dict.fromkeys(path for ref in refs for path in (ref.path, *([ref.mask.path] if ref.mask else []))))


def _check_none_lost(before: list[str], after: list[str], *, dropped: set[str]) -> None:
    # A sample made from another carries its id before a mark: `pmc_oa/train/7#panel-b`.
    left = set(after) | {id[: mark.start()] for id in after for mark in _DERIVED.finditer(id)}
    if lost := [id for id in before if id not in left and id not in dropped]:
        raise InputError(f"an operator lost sample {lost[0]!r} without a drop", fix="Correct the operator.")
