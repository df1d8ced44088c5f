"""Shard manifest: from what, and how, a shard was made, and so whether it still is what a job asks for.

`chunks/SHARD.json` is the last file that is written of a shard: one that has it is finished. It holds two hashes of
what the shard was made from.

key: known before an image is read. It covers every sample as the adapter gave it, the place of each of its files, the
    operators with all their options, the tiling and the rule for volumes. A changed caption, adapter or option is
    another key, and the shard is made again.
media_sha256: of the bytes of every media file that was read, those of samples that were dropped, too. A file's size
    and time of change would be cheaper and prove nothing: `cp -p`, `rsync -t` and archives carry times along, a
    restored or converted file often has its old size, and on network disks two writes may fall into one tick. To read
    and hash an image takes a fiftieth of the time of making it, so a rerun does that for every shard that it finds
    finished (`executor.recheck_media: false` leaves it out, for media that nobody changes and that are dear to read).

A finished folder, with the command's `manifest.json`, is not looked into again: `--overwrite` makes it anew. What the
code of an operator does is not covered either: after a change of it, `--overwrite`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import read_json, sha256_bytes, sha256_json
from osler.curate.plan import Job, PlannedRecord
from osler.datasets.media import read_media
from osler.datasets.packed import SEP
from osler.media.volume_file import volume_sha256
from osler.store.index import index_path, tar_path

FOLDER = "chunks"
VERSION = 1


@dataclass(frozen=True)
class ShardManifest:
    """What `chunks/SHARD.json` says.

    operators: those that ran on the shard, with all options. dropped: samples by `rule: kind of reason`.
    tar_sha256, index_sha256: "" where no record was kept, so that there are no such files.
    """

    shard: str
    key: str
    media_sha256: str
    num_media: int
    operators: list[list[Any]]
    records_read: int
    records_kept: int
    samples_read: int
    samples_kept: int
    dropped: dict[str, int]
    tar_sha256: str
    index_sha256: str
    drops_sha256: str
    version: int = VERSION

    def as_json(self) -> dict[str, Any]:
        """The value that is written."""
        return asdict(self)


def drops_path(out: Path, name: str) -> Path:
    """The drops of a shard."""
    return out / FOLDER / f"{name}.parquet"


def manifest_path(out: Path, name: str) -> Path:
    """The manifest of a shard."""
    return out / FOLDER / f"{name}.json"


def read_manifest(out: Path, name: str, key: str) -> ShardManifest | None:
    """The manifest of a finished shard; None where there is none for this key, or a file of the shard is not there."""
    try:
        value = read_json(manifest_path(out, name))
        manifest = ShardManifest(**value)
    except (InputError, TypeError, UnicodeDecodeError):
        return None
    if manifest.key != key or manifest.version != VERSION:
        return None
    needed = [drops_path(out, name), *([tar_path(out, name), index_path(out, name)] if manifest.records_kept else [])]
    return manifest if all(path.is_file() for path in needed) else None


def job_key(job: Job, how: Sequence[Any]) -> str:
    """The hash of what a job asks for.

    Args:
        job: its samples are taken as they are, with the places of their files.
        how: everything else on which the shard depends, as JSON.
    """
    digest = hashlib.sha256(sha256_json([VERSION, job.split, job.number, *how]).encode())
    for record in job.records:
        head = [record.key, record.dataset, sorted(record.places.items()), len(record.samples)]
        digest.update(json.dumps(head, separators=(",", ":")).encode())
        for sample in record.samples:
            digest.update(sample.model_dump_json(exclude_defaults=True).encode())
    return digest.hexdigest()


class MediaDigest:
    """The hash of the bytes of all media and masks of the records added, and their `count`."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()

    def add(self, record: PlannedRecord, known: Mapping[str, str]) -> None:
        """Add a record as it was planned; `known`, by path, spares reading files whose SHA-256 is known."""
        for path, kind in _files(record).items():
            found = known.get(path) or _sha256_of(record, path, kind)
            self._digest.update(f"{len(path)} {path} {found}\n".encode())
            self.count += 1

    def hexdigest(self) -> str:
        """The hash so far."""
        return self._digest.hexdigest()


def media_sha256(records: Iterable[PlannedRecord]) -> str:
    """The hash of all media and masks of `records`, for which each file is read."""
    digest = MediaDigest()
    for record in records:
        digest.add(record, {})
    return digest.hexdigest()


def _files(record: PlannedRecord) -> dict[str, str]:
    """The paths of a record's media and masks, each once, with what they are."""
    files: dict[str, str] = {}
    for ref in (ref for sample in record.samples for ref in sample.media):
        files[ref.path] = ref.kind
        if ref.mask is not None:
            files.setdefault(ref.mask.path, ref.kind)
    return files


def _sha256_of(record: PlannedRecord, path: str, kind: str) -> str:
    """The SHA-256 of a file or of a series of them; "" where there is none."""
    place = record.places.get(path, path)
    file = record.folder / place
    if kind == "volume" and SEP not in place and file.exists():
        return volume_sha256(file)
    data = read_media(record.folder, place)
    return sha256_bytes(data) if data is not None else ""
