"""Plan: which samples go into which shard, decided before any image is read and the same on every run."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.core.rng import generator
from osler.curate.drops import DropsWriter, drop
from osler.curate.mixture import Choice, chosen
from osler.curate.operator import SAMPLES, Apply
from osler.datasets.dataset import Dataset, read_drafts
from osler.datasets.media import read_media
from osler.media.volume_file import volume_sha256
from osler.schema.sample import Sample, Split
from osler.store.index import shard_name

_TABLE_ROWS = 4096


@dataclass(frozen=True)
class Source:
    """One split of one dataset as a recipe names it; which of its samples are taken, and as which split."""

    name: str
    root: Path
    split: str
    limit: int | None = None
    choice: Choice = Choice()
    as_split: Split | None = None

    @property
    def stored_split(self) -> str:
        """The split under which its samples are stored."""
        return self.as_split or self.split


@dataclass(frozen=True)
class Planned:
    """A sample with the record it belongs to; `folder` is the dataset's root, below which `places` has the media."""

    sample: Sample
    key: str
    dataset: str
    split: str
    folder: Path
    places: Mapping[str, str]


@dataclass(frozen=True)
class PlannedRecord:
    """All samples about the same images, which are read from `folder` at their paths or `places`."""

    key: str
    dataset: str
    split: str
    folder: Path
    places: Mapping[str, str]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Job:
    """What one shard is made of."""

    split: str
    number: int
    records: tuple[PlannedRecord, ...]

    @property
    def name(self) -> str:
        """The stem of the shard's files."""
        return shard_name(self.split, self.number)


@dataclass(frozen=True)
class Plan:
    """The jobs of a recipe; `drops` is told what is left out as they are taken.

    Args:
        sources: in the recipe's order.
        drops: where samples go that get into no job.
        shard_records: records a shard.
        global_operators: functions on the table of all samples, with whether they need the files' SHA-256. With any,
            that table is held in memory and the rows are read twice.
        shuffle_seed: put the records of each source in random order, for which its samples are held in memory; None
            keeps the published order.
    """

    sources: Sequence[Source]
    shard_records: int
    drops: DropsWriter
    global_operators: Sequence[tuple[Apply, bool]] = ()
    shuffle_seed: int | None = None

    def jobs(self) -> Iterator[Job]:
        """One job a shard, in order. Raises InputError where two samples have one id."""
        numbers: dict[str, int] = {}
        seen: set[bytes] = set()
        kept = self._kept_rows() if self.global_operators else None
        for source in self.sources:
            planned = self._read(source, self.drops)
            if kept is not None:
                planned = _where(planned, kept)
            records = _records(self._unique(planned, source, seen), contiguous=_dataset(source).contiguous)
            for chunk in _chunks(self._ordered(records, source), self.shard_records):
                shard = numbers.get(source.stored_split, 0)
                numbers[source.stored_split] = shard + 1
                yield Job(source.stored_split, shard, tuple(chunk))
        if kept is not None and next(kept, None) is not None:
            raise _rows_changed()

    def _read(self, source: Source, drops: DropsWriter | None) -> Iterator[Planned]:
        dataset = _dataset(source)
        read = partial(read_drafts, dataset, source.name, source.root, split=source.split, limit=source.limit)
        for draft, left_out in chosen(read, source.choice):
            if draft.sample is None or left_out is not None:
                if drops is not None:
                    drops.add(drop(draft.id, *(left_out or ("adapter", draft.skip))))
            else:
                key = draft.key or record_key(source.name, source.split, draft.sample)
                sample = draft.sample
                if source.as_split is not None:
                    sample = sample.model_copy(update={"split": source.as_split})
                yield Planned(sample, key, source.name, source.stored_split, source.root, draft.places)

    def _kept_rows(self) -> Iterator[bool]:
        """For each sample of all sources, in order, whether the global operators keep it."""
        table = sample_table(planned for source in self.sources for planned in self._read(source, None))
        num_rows = table.num_rows
        for apply, needs_sha256 in self.global_operators:
            kept = apply(with_sha256(table) if needs_sha256 else table)
            self.drops.add_table(kept.drops)
            table = kept.table
        is_kept = np.zeros(num_rows, dtype=bool)
        is_kept[table["row"].to_numpy()] = True
        return iter(is_kept.tolist())

    def _unique(self, planned: Iterable[Planned], source: Source, seen: set[bytes]) -> Iterator[Planned]:
        # A digest of each id: among a hundred million, two differing ids share one with a chance of 4 in 10^9.
        for item in planned:
            mark = blake2b(item.sample.id.encode(), digest_size=10).digest()
            if mark in seen:
                place = f"record {item.key!r} of {source.root}"
                raise InputError(
                    f"two samples have the id {item.sample.id!r}; the second is in {place}",
                    fix="Correct the source, or add the operator drop_duplicate_id to keep the first.",
                )
            seen.add(mark)
            yield item

    def _ordered(self, records: Iterable[PlannedRecord], source: Source) -> Iterable[PlannedRecord]:
        if self.shuffle_seed is None:
            return records
        held = list(records)
        order = generator(self.shuffle_seed, "shuffle_records", source.name, source.split).permutation(len(held))
        return [held[n] for n in order]


def _where(planned: Iterable[Planned], kept: Iterator[bool]) -> Iterator[Planned]:
    for item in planned:
        is_kept = next(kept, None)
        if is_kept is None:
            raise _rows_changed()
        if is_kept:
            yield item


def _rows_changed() -> InputError:
    return InputError(
        "the datasets' rows changed while they were read", fix="Run again when nothing writes to their folders."
    )


def sample_table(planned: Iterable[Planned]) -> pa.Table:
    """The table of samples (`operator.SAMPLES`) that operators of scope `all` see, without the files' SHA-256."""
    tables = [SAMPLES.empty_table()]
    rows: list[dict[str, Any]] = []
    for number, item in enumerate(planned):
        paths = [item.places.get(ref.path, ref.path) for ref in item.sample.media]
        row = sample_row(number, item.sample, item.key, sha256s=[])
        rows.append({**row, "folder": str(item.folder), "media_places": paths})
        if len(rows) == _TABLE_ROWS:
            tables.append(pa.Table.from_pylist(rows, schema=SAMPLES))
            rows = []
    return pa.concat_tables([*tables, pa.Table.from_pylist(rows, schema=SAMPLES)])


def with_sha256(table: pa.Table) -> pa.Table:
    """The table with the SHA-256 of the samples' files, each of which is read once; "" for a missing one."""
    hashes: dict[tuple[str, str], str] = {}
    places = zip(table["folder"].to_pylist(), table["media_places"].to_pylist(), strict=True)
    column = [[_sha256(folder, path, hashes) for path in paths] for folder, paths in places]
    number = table.schema.get_field_index("media_sha256")
    return table.set_column(number, SAMPLES.field(number), pa.array(column, SAMPLES.field(number).type))


def sample_row(number: int, sample: Sample, key: str, *, sha256s: list[str]) -> dict[str, Any]:
    """One row of the table of samples."""
    origin = sample.provenance
    return {
        "row": number,
        "id": sample.id,
        "key": key,
        "dataset": origin.dataset if origin else "",
        "split": sample.split,
        "group": sample.group,
        "licence": origin.licence if origin else "",
        "task": sample.task,
        "question": sample.question,
        "answer": sample.answer.text,
        "media_paths": [ref.path for ref in sample.media],
        "media_sha256": sha256s,
    }


def record_key(name: str, split: str, sample: Sample) -> str:
    """The key of the record about a sample's images: readable, valid in a shard, the same for the same images."""
    paths = [ref.path for ref in sample.media]
    identity = "\x1f".join([name, split, *(paths or [sample.id])])
    stem = Path(paths[0]).with_suffix("").as_posix() if paths else sample.id.rpartition("/")[2]
    words = re.sub(r"[^A-Za-z0-9_]+", "-", f"{name}-{split}-{stem}")[:60].strip("-")
    return f"{words}-{sha256_bytes(identity.encode())[:12]}"


def _records(planned: Iterable[Planned], *, contiguous: bool) -> Iterator[PlannedRecord]:
    """Samples gathered by record key, in the order in which each key first comes; one without images is alone."""
    open_records: dict[str, list[Planned]] = {}
    for item in planned:
        if not item.sample.media and not open_records and not contiguous:
            yield _record([item])
            continue
        if contiguous and open_records and item.key not in open_records:
            yield from map(_record, open_records.values())
            open_records = {}
        open_records.setdefault(item.key, []).append(item)
    yield from map(_record, open_records.values())


def _record(items: list[Planned]) -> PlannedRecord:
    first = items[0]
    samples = tuple(item.sample for item in items)
    return PlannedRecord(first.key, first.dataset, first.split, first.folder, first.places, samples)


def _chunks(records: Iterable[PlannedRecord], size: int) -> Iterator[list[PlannedRecord]]:
    chunk: list[PlannedRecord] = []
    for record in records:
        chunk.append(record)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _sha256(folder: str, path: str, hashes: dict[tuple[str, str], str]) -> str:
    place = (folder, path)
    if place not in hashes:
        data = read_media(Path(folder), path)
        hashes[place] = sha256_bytes(data) if data is not None else ""
        if data is None and Path(folder, path).is_dir():  # a DICOM series
            hashes[place] = volume_sha256(Path(folder, path))
    return hashes[place]


def _dataset(source: Source) -> Dataset:
    dataset: Dataset = ADAPTERS.load(source.name)
    return dataset
