"""Engine: jobs to shards, in this process or a pool; a finished shard is never made twice.

A job's last act is to write `chunks/SHARD.parquet`, its drops. That file, with the job's fingerprint inside, says
that the shard is finished, so a run that was killed goes on after it. Each shard depends on its own job only: the
bytes are the same whatever the number of workers.
"""

import gc
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.core.files import sha256_bytes, sha256_json
from osler.core.workers import worker_pool
from osler.curate.drops import drops_table, write_drops
from osler.curate.estimate import estimate_cost
from osler.curate.opened import OpenRecord, open_records, rewrite_records
from osler.curate.operator import RECORDS, SAMPLES, Apply, Operator
from osler.curate.plan import Job, sample_row
from osler.curate.volumes import VolumeStep
from osler.media.image import image_facts
from osler.store.index import index_path, shard_name, tar_path
from osler.store.record import Blob, StoredRecord, stored_record
from osler.store.shards import write_shard

OperatorSpec = tuple[str, dict[str, Any]]
_JOBS_AHEAD = 2


@dataclass(frozen=True)
class Settings:
    """What every job of a run shares.

    operators: name and options, in order; only those of scope `shard` run.
    volumes: how volumes become slices before the first operator; None where a volume ends the run.
    """

    operators: tuple[OperatorSpec, ...]
    tile_px: int
    min_tiles: int
    max_tiles: int
    volumes: VolumeStep | None = None


def run_jobs(jobs: Iterable[Job], out: Path, settings: Settings, *, num_workers: int) -> Iterator[Path]:
    """Make every job's shard under `out`; yields the file of each job's drops, in the order of the jobs.

    Args:
        jobs: taken only a few ahead of the work.
        out: the output folder.
        settings: shared by all jobs.
        num_workers: processes; 0 and 1 work in this one.
    """
    if num_workers <= 1:
        for job in jobs:
            yield make_shard(job, out, settings)
        return
    with worker_pool(num_workers) as pool:
        waiting: list[Future[Path]] = []
        for job in jobs:
            waiting.append(pool.submit(make_shard, job, out, settings))
            while waiting and (waiting[0].done() or len(waiting) >= _JOBS_AHEAD * num_workers):
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


def make_shard(job: Job, out: Path, settings: Settings) -> Path:
    """Make one shard, unless it is finished: read files, apply operators, write tar, index and drops."""
    name = shard_name(job.split, job.number)
    done = out / "chunks" / f"{name}.parquet"
    fingerprint = _fingerprint(job, settings)
    if _is_finished(done, fingerprint, out, name):
        return done
    opened, unreadable = open_records(job.records, settings.volumes)
    records, drops = _apply_operators(opened, settings)
    drops = pa.concat_tables([unreadable, drops])
    for path in (index_path(out, name), tar_path(out, name)):
        path.unlink(missing_ok=True)
    num_records = 0
    if records:
        estimate = partial(
            estimate_cost, tile_px=settings.tile_px, min_tiles=settings.min_tiles, max_tiles=settings.max_tiles
        )
        num_records = write_shard(
            out, job.split, job.number, records=map(_stored, records), estimate=estimate
        ).num_records
    write_drops(done, drops, metadata={"job": fingerprint, "num_records": str(num_records)})
    return done


@contextmanager
def collector_paused() -> Iterator[None]:
    """No search for reference cycles inside the block.

    Samples hold none, and looking for some among a shard's hundred thousand objects takes half of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def build_operator(spec: OperatorSpec) -> tuple[Operator, Apply]:
    """An operator of the catalogue and the function that its options make."""
    name, options = spec
    operator: Operator = OPERATORS.load(name)
    return operator, operator.build(operator.config.parse(options, f"operator {name}"))


def _apply_operators(records: list[OpenRecord], settings: Settings) -> tuple[list[OpenRecord], pa.Table]:
    drops = [drops_table()]
    for spec in settings.operators:
        operator, apply = build_operator(spec)
        if operator.scope == "all" or not records:
            continue
        records, dropped = _KEEPERS[operator.level](records, apply)
        drops.append(dropped)
    return records, pa.concat_tables(drops)


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
    hashes = [{path: sha256_bytes(data) for path, data in r.files.items() if data is not None} for r in records]
    pairs = [(number, sample) for number, record in enumerate(records) for sample in record.samples]
    rows = []
    for row, (number, sample) in enumerate(pairs):
        sha256s = [hashes[number].get(ref.path, "") for ref in sample.media]
        rows.append(sample_row(row, sample, records[number].planned.key, sha256s=sha256s))
    kept = apply(pa.Table.from_pylist(rows, schema=SAMPLES))
    left: list[list[Any]] = [[] for _ in records]
    for row in kept.table["row"].to_pylist():
        number, sample = pairs[row]
        left[number].append(sample)
    opened = [OpenRecord(r.planned, samples, r.files) for r, samples in zip(records, left, strict=True) if samples]
    return opened, kept.drops


_KEEPERS = {"sample": _keep_samples, "record": _keep_records, "rewrite": rewrite_records}


def _stored(record: OpenRecord) -> StoredRecord:
    kinds = {ref.path: ref.kind for sample in record.samples for ref in sample.media}
    blobs = {path: _blob(record, path, data, kinds.get(path, "image")) for path, data in record.files.items()}
    return stored_record(record.planned.key, record.samples, blobs)


def _blob(record: OpenRecord, path: str, data: bytes | None, kind: str) -> Blob:
    place = record.planned.places.get(path, path)
    if data is None:
        raise InputError(
            f"image {record.planned.folder / place} of sample {record.samples[0].id!r} is missing",
            fix="Put it there, or add the operator drop_missing_image to drop and count such samples.",
        )
    if kind != "image":
        return Blob(data, "".join(Path(path).suffixes).lstrip("."))
    try:
        facts = image_facts(data)
    except InputError as error:
        raise InputError(
            f"sample {record.samples[0].id!r}: {record.planned.folder / place}: {error}",
            fix="Replace it, or add the operator drop_broken_image to drop and count such samples.",
        ) from error
    return Blob(data, facts.suffix, facts.width, facts.height, facts.bits)


def _fingerprint(job: Job, settings: Settings) -> str:
    ids = [[record.key, *(sample.id for sample in record.samples)] for record in job.records]
    tiling = [settings.tile_px, settings.min_tiles, settings.max_tiles]
    volumes = [repr(settings.volumes)] if settings.volumes else []
    return sha256_json([job.split, job.number, ids, [list(spec) for spec in settings.operators], tiling, *volumes])


def _is_finished(done: Path, fingerprint: str, out: Path, name: str) -> bool:
    try:
        metadata = pq.read_schema(done).metadata or {}
    except (OSError, pa.ArrowException):
        return False
    if metadata.get(b"job") != fingerprint.encode():
        return False
    is_there = index_path(out, name).is_file() and tar_path(out, name).is_file()
    return is_there or metadata.get(b"num_records") == b"0"
