"""Engine: jobs to shards; a finished shard is never made twice.

A shard's files are written to a folder that belongs to one attempt at one job, and renamed into place when all of them
are whole, its manifest last. So whatever is killed, and whoever else makes the same shard at the same time, no file is
ever torn. Each shard depends on its own job only: the bytes are the same whichever process makes it.
"""

import gc
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from osler.core.errors import InputError
from osler.core.files import private_folder, sha256_file, write_json
from osler.curate.drops import tally_drops, write_drops
from osler.curate.estimate import estimate_cost
from osler.curate.executor import Executor, work_on
from osler.curate.opened import OpenRecord
from osler.curate.operator import Workplace
from osler.curate.pieces import OperatorSpec, PieceWork
from osler.curate.plan import Job
from osler.curate.shard_manifest import (
    ShardManifest,
    drops_path,
    job_key,
    manifest_path,
    media_sha256,
    read_manifest,
)
from osler.curate.volumes import VolumeStep
from osler.media.image import image_facts
from osler.store.index import index_path, tar_path
from osler.store.record import Blob, StoredRecord, stored_record
from osler.store.shards import ShardInfo, write_shard

_ROOMS = ".work"


@dataclass(frozen=True)
class Settings:
    """What every job of a run shares.

    operators: name and options, in order; only those of scope `shard` run.
    volumes: how volumes become slices before the first operator; None where a volume ends the run.
    recheck_media: a shard that an earlier run finished counts as finished only if its media are the same bytes.
    """

    operators: tuple[OperatorSpec, ...]
    tile_px: int
    min_tiles: int
    max_tiles: int
    volumes: VolumeStep | None = None
    recheck_media: bool = True


@dataclass
class Share:
    """Which jobs are this process's, and the names of all. Filled while the jobs are taken.

    elsewhere: the key of each shard that another rank makes.
    """

    executor: Executor
    settings: Settings
    names: list[str] = field(default_factory=list)
    elsewhere: dict[str, str] = field(default_factory=dict)

    def of(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """The jobs that are this process's."""
        for number, job in enumerate(jobs):
            self.names.append(job.name)
            if number % self.executor.world == self.executor.rank:
                yield job
            else:
                self.elsewhere[job.name] = job_key(job, _how(self.settings))

    def missing(self, out: Path) -> list[str]:
        """The shards of other ranks that are not finished."""
        return [name for name, key in self.elsewhere.items() if read_manifest(out, name, key) is None]


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


@contextmanager
def work_room(out: Path, rank: int) -> Iterator[Path]:
    """A folder below `out` in which this run of this rank makes its files; gone after the block.

    What a killed run of the same rank left is removed first. Should a process of that run still be at work, its files
    are gone with it, so that it ends with an error and changes nothing.
    """
    rooms = out / _ROOMS / str(rank)
    shutil.rmtree(rooms, ignore_errors=True)
    with private_folder(rooms, prefix="") as room:
        yield room
    for folder in (rooms, out / _ROOMS):
        with suppress(OSError):
            folder.rmdir()


def run_jobs(
    jobs: Iterable[Job], place: Workplace, settings: Settings, *, room: Path, executor: Executor
) -> Iterator[str]:
    """Make every job's shard under the output folder; yields their names in the order of the jobs.

    Args:
        jobs: taken only a few ahead of the work.
        place: the output folder, and where operators keep files.
        settings: shared by all jobs.
        room: from `work_room`.
        executor: where the work is done.
    """
    return work_on(executor, partial(make_shard, place=place, settings=settings, room=room), jobs)


@collector_paused()
def make_shard(job: Job, *, place: Workplace, settings: Settings, room: Path) -> str:
    """Make one shard, unless it is finished: read files, apply operators, write tar, index, drops and manifest."""
    out, key = place.out, job_key(job, _how(settings))
    before = read_manifest(out, job.name, key)
    if before and (not settings.recheck_media or before.media_sha256 == media_sha256(job.records)):
        return job.name
    work = PieceWork(settings.operators, settings.volumes, place)
    manifest_path(out, job.name).unlink(missing_ok=True)
    with private_folder(room, prefix=f"{job.name}-") as folder:
        info = _write_records(folder, job, work.records(job.records), settings)
        drops = work.drops()
        write_drops(drops_path(folder, job.name), drops)
        manifest = ShardManifest(
            shard=job.name,
            key=key,
            media_sha256=work.media.hexdigest(),
            num_media=work.media.count,
            operators=[list(spec) for spec in settings.operators],
            records_read=len(job.records),
            records_kept=info.num_records if info else 0,
            samples_read=sum(len(record.samples) for record in job.records),
            samples_kept=info.num_samples if info else 0,
            dropped=_by_rule(drops),
            tar_sha256=info.sha256 if info else "",
            index_sha256=sha256_file(index_path(folder, job.name)) if info else "",
            drops_sha256=sha256_file(drops_path(folder, job.name)),
        )
        write_json(manifest_path(folder, job.name), manifest.as_json())
        _publish(folder, out, job.name)
    return job.name


def remove_others(out: Path, names: Iterable[str]) -> None:
    """Remove the files of shards that are none of `names`: an earlier run had more, before its media changed."""
    known = set(names)
    for folder in {tar_path(out, "").parent, index_path(out, "").parent, drops_path(out, "").parent}:
        for path in folder.glob("*"):
            if path.stem not in known and not path.name.startswith("."):
                path.unlink(missing_ok=True)


def publish(folder: Path, out: Path) -> None:
    """Rename every file of a folder into `out`."""
    for path in sorted(folder.iterdir()):
        path.replace(out / path.name)


def _publish(folder: Path, out: Path, name: str) -> None:
    for place in (tar_path, index_path, drops_path, manifest_path):
        target = place(out, name)
        if place(folder, name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            place(folder, name).replace(target)
        else:
            target.unlink(missing_ok=True)


def _write_records(folder: Path, job: Job, records: Iterator[OpenRecord], settings: Settings) -> ShardInfo | None:
    """The shard's tar and index; neither where there is no record."""
    first = next(records, None)
    if first is None:
        return None
    estimate = partial(
        estimate_cost, tile_px=settings.tile_px, min_tiles=settings.min_tiles, max_tiles=settings.max_tiles
    )
    return write_shard(folder, job.split, job.number, records=map(_stored, chain([first], records)), estimate=estimate)


def _how(settings: Settings) -> list[Any]:
    """What a shard depends on besides its job."""
    tiling = [settings.tile_px, settings.min_tiles, settings.max_tiles]
    return [[list(spec) for spec in settings.operators], tiling, repr(settings.volumes)]


def _by_rule(drops: pa.Table) -> dict[str, int]:
    counts: dict[str, int] = {}
    for (_, _, rule, kind), count in tally_drops(drops).items():
        counts[f"{rule}: {kind}"] = counts.get(f"{rule}: {kind}", 0) + count
    return counts


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
