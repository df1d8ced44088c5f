"""StoredRecord: the images of one study or figure with every sample asked about them, named as they lie in a shard."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.schema.base import Record
from osler.schema.media import MaskRef, MediaRef
from osler.schema.sample import Image, Sample

_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class StoredRecord:
    """One record of a shard.

    `files` maps a member name (`KEY.0.png`, `KEY.0.mask.png`) to its bytes; the samples' media paths are
    these names. All samples show the same images in the same order. The JSON member is not among `files`.
    """

    key: str
    samples: tuple[Sample, ...]
    files: dict[str, bytes]


@dataclass(frozen=True)
class Blob:
    """The bytes of one media file and what its header says; `suffix` is without a dot (`png`, `jpg`)."""

    data: bytes
    suffix: str
    width: int | None = None
    height: int | None = None
    bits: int = 8


class StoredSamples(Record):
    """What the JSON member of a record holds."""

    schema_version: Literal[1] = 1
    samples: tuple[Sample, ...]


def encode_samples(samples: Sequence[Sample]) -> bytes:
    """The JSON member of a record: `{"schema_version": 1, "samples": [...]}` with default values left out."""
    dumped = [sample.model_dump_json(exclude_defaults=True) for sample in samples]
    return ('{"schema_version":1,"samples":[' + ",".join(dumped) + "]}").encode()


def check_key(key: str) -> str:
    """`key` itself, if readers of the layout can split it from an extension: letters, digits, `_` and `-`."""
    if not _KEY.fullmatch(key):
        raise InputError(f"cannot store a record under key {key!r}", expected="1 to 80 letters, digits, '_' or '-'")
    return key


def stored_record(key: str, samples: Sequence[Sample], blobs: Mapping[str, Blob]) -> StoredRecord:
    """The record of `samples`, its media renamed to member names of `key` and their facts filled in.

    Args:
        key: the record's name in the shard.
        samples: all show the same media paths in the same order.
        blobs: the bytes of every media path and mask path the samples name.
    """
    paths = list(dict.fromkeys(ref.path for sample in samples for ref in sample.media))
    numbers = {path: number for number, path in enumerate(paths)}
    files: dict[str, bytes] = {}
    renamed: dict[MediaRef, MediaRef] = {}
    for sample in samples:
        for ref in sample.media:
            if ref not in renamed:
                renamed[ref] = _rename(ref, f"{key}.{numbers[ref.path]}", blobs, files)
    if all(old == new for old, new in renamed.items()):
        return StoredRecord(key, tuple(samples), files)
    return StoredRecord(key, tuple(replace_media(sample, renamed) for sample in samples), files)


def replace_media(sample: Sample, new: Mapping[MediaRef, MediaRef]) -> Sample:
    """`sample` with every media reference exchanged for `new[reference]`."""
    if not any(turn.media for turn in sample.turns):
        return sample
    turns = []
    for turn in sample.turns:
        parts = tuple(
            part.model_copy(update={"media": new[part.media]}) if isinstance(part, Image) else part
            for part in turn.parts
        )
        turns.append(turn.model_copy(update={"parts": parts}))
    return sample.model_copy(update={"turns": tuple(turns)})


def _rename(ref: MediaRef, stem: str, blobs: Mapping[str, Blob], files: dict[str, bytes]) -> MediaRef:
    blob = _blob(ref.path, stem, blobs)
    name = f"{stem}.{blob.suffix}"
    files[name] = blob.data
    fields: dict[str, object] = {
        "path": name,
        "width": blob.width or ref.width,
        "height": blob.height or ref.height,
        "bits": blob.bits if blob.width else ref.bits,
        "sha256": sha256_bytes(blob.data),
    }
    if ref.mask is not None:
        mask = _blob(ref.mask.path, stem, blobs)
        mask_name = f"{stem}.mask.{mask.suffix}"
        files[mask_name] = mask.data
        fields["mask"] = MaskRef(path=mask_name, labels=ref.mask.labels)
    return ref.model_copy(update=fields)


def _blob(path: str, stem: str, blobs: Mapping[str, Blob]) -> Blob:
    if path not in blobs:
        raise InputError(f"record {stem.rpartition('.')[0]!r} shows {path!r}, whose bytes were not given")
    return blobs[path]
