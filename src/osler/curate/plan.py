"""Plan: which samples go into which shard, decided before any image is read and the same on every run."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

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
            or with `shuffle_seed`, all samples are held in memory at once.
        shuffle_seed: put the records of each source in random order; None keeps the published order.
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
        groups: Iterable[tuple[int, Iterable[Planned]]] = ((n, self._read(s)) for n, s in enumerate(self.sources))
        if self.global_operators:
            groups = self._filtered(groups)
        for number, planned in groups:
            source = self.sources[number]
            records = _records(self._unique(planned, source, seen), contiguous=_dataset(source).contiguous)
            for chunk in _chunks(self._ordered(records, source), self.shard_records):
                shard = numbers.get(source.stored_split, 0)
                numbers[source.stored_split] = shard + 1
                yield Job(source.stored_split, shard, tuple(chunk))

    def _read(self, source: Source) -> Iterator[Planned]:
        dataset = _dataset(source)
        read = partial(read_drafts, dataset, source.name, source.root, split=source.split, limit=source.limit)
        for draft, left_out in chosen(read, source.choice):
            if draft.sample is None or left_out is not None:
                self.drops.add(drop(draft.id, *(left_out or ("adapter", draft.skip))))
            else:
                key = draft.key or record_key(source.name, source.split, draft.sample)
                sample = draft.sample
                if source.as_split is not None:
                    sample = sample.model_copy(update={"split": source.as_split})
                yield Planned(sample, key, source.name, source.stored_split, source.root, draft.places)

    def _filtered(self, groups: Iterable[tuple[int, Iterable[Planned]]]) -> Iterator[tuple[int, list[Planned]]]:
        held = [(number, planned) for number, group in groups for planned in group]
        for apply, needs_sha256 in self.global_operators:
            kept = apply(sample_table([planned for _, planned in held], needs_sha256=needs_sha256))
            self.drops.add_table(kept.drops)
            held = [held[row] for row in kept.table["row"].to_pylist()]
        for number in range(len(self.sources)):
            yield number, [planned for owner, planned in held if owner == number]

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


def sample_table(planned: Sequence[Planned], *, needs_sha256: bool) -> pa.Table:
    """The table of samples (`operator.SAMPLES`) that operators see; a missing file has the SHA-256 ""."""
    hashes: dict[tuple[Path, str], str] = {}
    rows = []
    for number, item in enumerate(planned):
        paths = [ref.path for ref in item.sample.media]
        sha256s = [_sha256(item.folder, item.places.get(path, path), hashes) for path in paths] if needs_sha256 else []
        row = sample_row(number, item.sample, item.key, sha256s=sha256s)
        rows.append({**row, "folder": str(item.folder), "media_places": [item.places.get(p, p) for p in paths]})
    return pa.Table.from_pylist(rows, schema=SAMPLES)


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


def _sha256(folder: Path, path: str, hashes: dict[tuple[Path, str], str]) -> str:
    place = (folder, path)
    if place not in hashes:
        data = read_media(folder, path)
        hashes[place] = sha256_bytes(data) if data is not None else ""
        if data is None and (folder / path).is_dir():  # a DICOM series
            hashes[place] = volume_sha256(folder / path)
    return hashes[place]


def _dataset(source: Source) -> Dataset:
    dataset: Dataset = ADAPTERS.load(source.name)
    return dataset
