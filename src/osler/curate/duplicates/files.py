"""Image files by where they lie: their hashes and their pixels, each file read when it is needed."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from osler.core.errors import InputError
from osler.core.workers import worker_pool
from osler.datasets.media import read_media
from osler.media.hashing import border_forms, border_hashes, pixel_sha256, read_gray

Place = tuple[str, str]
"""A folder and a place below it."""
_CHUNK = 256
_KINDS: dict[str, Callable[[bytes], bytes]] = {
    "border_hashes": border_hashes,
    "pixel_sha256": lambda data: bytes.fromhex(pixel_sha256(data)),
}


def hash_files(places: Iterable[Place], kind: str, *, num_workers: int = 0) -> dict[Place, bytes]:
    """The `border_hashes` or `pixel_sha256` of each file; b"" for one that is not there or is no image.

    Args:
        places: may repeat.
        kind: which hash.
        num_workers: processes; 0 and 1 work in this one.
    """
    distinct = list(dict.fromkeys(places))
    chunks = [distinct[start : start + _CHUNK] for start in range(0, len(distinct), _CHUNK)]
    if num_workers <= 1:
        return {place: code for chunk in chunks for place, code in _hash_chunk(chunk, kind)}
    with worker_pool(num_workers) as pool:
        futures = [pool.submit(_hash_chunk, chunk, kind) for chunk in chunks]
        return {place: code for future in futures for place, code in future.result()}


def place_name(place: Place) -> str:
    """One string for a place."""
    return "\x1f".join(place)


def forms_at(name: str) -> list[np.ndarray]:
    """The gray forms (`hashing.border_forms`) of the file at a place's name; its hash was taken before."""
    folder, _, path = name.partition("\x1f")
    data = read_media(Path(folder), path)
    if data is None:
        raise InputError(f"image {path} below {folder} is not there any more", fix="Put it back and run again.")
    return border_forms(read_gray(data))


def _hash_chunk(places: Sequence[Place], kind: str) -> list[tuple[Place, bytes]]:
    return [(place, _hash(place, kind)) for place in places]


def _hash(place: Place, kind: str) -> bytes:
    data = read_media(Path(place[0]), place[1])
    try:
        return _KINDS[kind](data) if data else b""
    except InputError:
        return b""
