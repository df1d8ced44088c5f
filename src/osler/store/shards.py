"""Shards: tar files in webdataset layout with a parquet index beside each, written whole and read by offset."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

from osler.core.errors import InputError
from osler.core.files import atomic_write
from osler.schema.media import MediaRef
from osler.schema.sample import Sample
from osler.store.index import ShardInfo, shard_name, tar_path, write_index
from osler.store.reader import Store
from osler.store.record import StoredRecord, check_key, encode_samples

__all__ = ["ShardInfo", "Store", "StoredRecord", "write_shard"]

Estimate = Callable[[Sample], tuple[int, int]]

_BLOCK = 512
_TAR_RECORD = 20 * _BLOCK


def write_shard(
    folder: Path, split: str, number: int, *, records: Iterable[StoredRecord], estimate: Estimate
) -> ShardInfo:
    """Write one shard: `shards/SPLIT-NUMBER.tar`, then `index/SPLIT-NUMBER.parquet`, each whole or absent.

    The same records give the same bytes: times and owners in the tar are zero.

    Args:
        folder: the output folder that holds `shards/` and `index/`.
        split: `train`, `validation` or `test`.
        number: the shard's place within its split, from 0.
        records: their samples need an id, and media with path (a name in `files`), width, height and sha256.
        estimate: the number of text tokens and of image tiles of a sample, for packing.

    Raises:
        InputError: two records with one key, two samples with one id, or a sample that does not fit its files.
        DiskFullError: no space is left; the shard is then absent.
    """
    folder = Path(folder)
    name = shard_name(split, number)
    keys: set[str] = set()
    owners: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    with atomic_write(tar_path(folder, name)) as file:
        tar = _TarWriter(file)
        for record in records:
            _check_record(record, split, keys, owners)
            rows += _write_record(tar, record, name, split, estimate)
        tar.finish()
    info = ShardInfo(split, number, len(keys), len(rows), tar.size, tar.hash.hexdigest())
    write_index(folder, info, rows)
    return info


def _write_record(
    tar: "_TarWriter", record: StoredRecord, shard: str, split: str, estimate: Estimate
) -> list[dict[str, Any]]:
    digest = hashlib.sha256()
    places: dict[str, tuple[int, int]] = {}
    members = {**record.files, f"{record.key}.json": encode_samples(record.samples)}
    for name, data in members.items():
        places[name] = (tar.add(name, data), len(data))
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    shared = {
        "key": record.key,
        "shard": shard,
        "split": split,
        "record_sha256": digest.hexdigest(),
        "json_offset": places[f"{record.key}.json"][0],
        "json_size": places[f"{record.key}.json"][1],
        **_media_columns(record.samples[0].media, places),
    }
    return [{**shared, **_sample_columns(s, n, estimate)} for n, s in enumerate(record.samples)]


def _media_columns(media: tuple[MediaRef, ...], places: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """One entry an image in every list; a missing mask has the name "" and size 0."""
    masks = [ref.mask.path if ref.mask else "" for ref in media]
    return {
        "media_names": [ref.path for ref in media],
        "media_offsets": [places[ref.path][0] for ref in media],
        "media_sizes": [places[ref.path][1] for ref in media],
        "widths": [ref.width for ref in media],
        "heights": [ref.height for ref in media],
        "bits": [ref.bits for ref in media],
        "media_sha256": [ref.sha256 for ref in media],
        "mask_names": masks,
        "mask_offsets": [places[name][0] if name else 0 for name in masks],
        "mask_sizes": [places[name][1] if name else 0 for name in masks],
    }


def _sample_columns(sample: Sample, position: int, estimate: Estimate) -> dict[str, Any]:
    text_tokens, tiles = estimate(sample)
    origin = sample.provenance
    return {
        "sample_id": sample.id,
        "position": position,
        "text_tokens": text_tokens,
        "tiles": tiles,
        "licence": origin.licence if origin else "",
        "access": origin.access if origin else "",
        "dataset": origin.dataset if origin else "",
        "source_url": origin.source_url if origin else "",
        "task": sample.task,
        "answer_kind": sample.answer.kind,
        "modality": sample.modality,
        "body_part": sample.body_part,
        "group": sample.group,
    }


def _check_record(record: StoredRecord, split: str, keys: set[str], owners: dict[str, str]) -> None:
    key = check_key(record.key)
    if key in keys:
        raise InputError(f"two records of shard split {split!r} have the key {key!r}", fix="Give each its own key.")
    keys.add(key)
    if not record.samples:
        raise InputError(f"record {key!r} has no sample")
    for sample in record.samples:
        if not sample.id:
            raise InputError(f"a sample of record {key!r} has no id")
        if sample.id in owners:
            raise InputError(
                f"two samples have the id {sample.id!r}: one in record {owners[sample.id]!r}, one in {key!r}"
            )
        owners[sample.id] = key
        if sample.split not in (None, split):
            raise InputError(f"sample {sample.id!r} is of split {sample.split!r}", expected=f"split {split!r}")
    _check_media(record)


def _check_media(record: StoredRecord) -> None:
    first = record.samples[0]
    shown = _shown(first)
    for sample in record.samples:
        if _shown(sample) != shown:
            raise InputError(f"samples {first.id!r} and {sample.id!r} of record {record.key!r} show different images")
        for ref in sample.media:
            if not ref.sha256 or (ref.kind == "image" and (ref.width is None or ref.height is None)):
                raise InputError(f"image {ref.path!r} of sample {sample.id!r} lacks width, height or sha256")
    used = {name for pair in shown for name in pair if name}
    if used != set(record.files):
        raise InputError(
            f"the files of record {record.key!r} are not those its samples show",
            expected=", ".join(sorted(used)) or "no file",
            got=", ".join(sorted(record.files)) or "no file",
        )
    foreign = [name for name in record.files if not name.startswith(f"{record.key}.")]
    if foreign:
        raise InputError(f"file {foreign[0]!r} of record {record.key!r}", expected=f"a name that begins {record.key}.")


def _shown(sample: Sample) -> list[tuple[str, str]]:
    return [(ref.path, ref.mask.path if ref.mask else "") for ref in sample.media]


class _TarWriter:
    """Plain ustar members with zero times and owners; about ten times the rate of the standard library's writer."""

    def __init__(self, file: IO[bytes]) -> None:
        self.hash = hashlib.sha256()
        self.size = 0
        self._file = file

    def add(self, name: str, data: bytes) -> int:
        """Append one member; returns the offset of its data."""
        self._write(_tar_header(name, len(data)))
        offset = self.size
        self._write(data)
        self._write(bytes(-len(data) % _BLOCK))
        return offset

    def finish(self) -> None:
        """Write the two empty blocks that end a tar, filled up to a whole tar record."""
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self.size % _TAR_RECORD))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.hash.update(data)
        self.size += len(data)


def _tar_header(name: str, size: int) -> bytes:
    """The 512-byte ustar header (POSIX.1-1988) of a regular file with mode 0644."""
    encoded = name.encode()
    if len(encoded) > 100 or size >= 8**11:
        raise InputError(f"cannot store {name!r}", expected="a name of at most 100 bytes and less than 8 GiB")
    fields = b"".join(
        [
            encoded.ljust(100, b"\0"),
            b"0000644\0",
            b"0000000\0",
            b"0000000\0",
            b"%011o\0" % size,
            b"00000000000\0",
            b" " * 8,
            b"0",
            bytes(100),
            b"ustar\x0000",
        ]
    ).ljust(_BLOCK, b"\0")
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]
