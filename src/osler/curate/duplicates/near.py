"""Near duplicates within a set: the same picture saved again, with the same words or nearly so.

An image alone is never reason enough: two questions about one film are two samples. Nor is a near hash, which films of
one view share; the pixels of each pair decide. A sample is dropped for one kept before it, never for one that was
dropped itself, so that no chain of small steps leads from one image to another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from osler.core.rng import generator
from osler.curate.duplicates.alike import MAX_PAIRS, needed_likeness
from osler.curate.duplicates.hamming import HashIndex, stacked
from osler.curate.duplicates.words import same_words
from osler.media.hashing import HASH_BYTES
from osler.media.likeness import likeness

RADIUS = 40
_BEYOND = 56
_MAX_CANDIDATES = 16
_HELD = 256

Forms = Callable[[str], Sequence[np.ndarray]]
"""An image's name to its gray forms, from `hashing.border_forms`."""


@dataclass(frozen=True)
class Entry:
    """A sample to compare: its images by name, their `border_hashes` (b"" where there is none), and its texts.

    `scope` are values of which all must be equal: the split, say.
    """

    id: str
    images: tuple[str, ...]
    hashes: tuple[bytes, ...]
    texts: tuple[str, ...]
    scope: str = ""


@dataclass(frozen=True)
class Repeat:
    """Sample number `row` repeats number `kept`, with the least likeness of their images."""

    row: int
    kept: int
    likeness: float


def near_duplicates(entries: Sequence[Entry], forms: Forms, *, seed: int = 0) -> list[Repeat]:
    """The samples that repeat an earlier one that is kept, in order.

    Of an image, the 16 nearest before it are looked at. Memory: some 70 bytes a distinct image, and its neighbours.

    Args:
        entries: in the order in which the first is kept.
        forms: reads the pixels of an image; called for pairs with near hashes and near words, and to measure.
        seed: draws the pairs on which the needed likeness is measured, up to 300.
    """
    owners = _owners(entries)
    names = list(owners)
    hashes = {name: code for entry in entries for name, code in zip(entry.images, entry.hashes, strict=True)}
    near, beyond = _image_pairs([hashes[name] for name in names])
    alike = _likeness_of(hashes, forms)
    drawn = generator(seed, "near_duplicates").permutation(len(beyond))[:MAX_PAIRS]
    needed = needed_likeness([alike(names[beyond[n][0]], names[beyond[n][1]]) for n in drawn])
    neighbours = _neighbours(names, near)
    dropped: dict[int, Repeat] = {}
    for row, entry in enumerate(entries):
        if not entry.images or not all(entry.hashes):
            continue
        for kept in (n for name in (entry.images[0], *neighbours.get(entry.images[0], ())) for n in owners[name]):
            if kept >= row or kept in dropped or not _may_repeat(entry, entries[kept]):
                continue
            pairs = zip(entry.images, entries[kept].images, strict=True)
            score = min(1.0 if one == other else alike(other, one) for one, other in pairs)
            if score >= needed:
                dropped[row] = Repeat(row, kept, score)
                break
    return [dropped[row] for row in sorted(dropped)]


def nearest_forms(first: bytes, second: bytes) -> tuple[int, int, int]:
    """The least distance of two images' hashes, and which form of each it is between."""
    one, other = (np.frombuffer(code, np.uint8).reshape(-1, 1, HASH_BYTES) for code in (first, second))
    bits = np.bitwise_count(one ^ other.swapaxes(0, 1)).sum(axis=-1)
    place = int(bits.argmin())
    return int(bits.flat[place]), place // bits.shape[1], place % bits.shape[1]


def _likeness_of(hashes: dict[str, bytes], forms: Forms) -> Callable[[str, str], float]:
    """The likeness of two images by name, in the forms whose hashes are nearest."""
    held = lru_cache(maxsize=_HELD)(forms)

    def alike(first: str, second: str) -> float:
        _, one, other = nearest_forms(hashes[first], hashes[second])
        return likeness(held(first)[one], held(second)[other])

    return lru_cache(maxsize=None)(alike)


def _owners(entries: Sequence[Entry]) -> dict[str, list[int]]:
    """The samples that begin with each image."""
    owners: dict[str, list[int]] = {}
    for row, entry in enumerate(entries):
        if entry.images and all(entry.hashes):
            owners.setdefault(entry.images[0], []).append(row)
    return owners


def _image_pairs(hashes: Sequence[bytes]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs of images with near hashes, the earlier one first, of each image its nearest; and pairs just beyond.

    The latter are hardly ever copies, and tell how alike the set's images are that are none.
    """
    if not hashes:
        return [], []
    codes = stacked(list(hashes))
    owner = np.repeat(np.arange(len(hashes)), [len(code) // HASH_BYTES for code in hashes])
    ranked: dict[int, dict[int, int]] = {}
    for rows, numbers, distances in HashIndex(codes).near(codes, _BEYOND):
        later, earlier = owner[rows], owner[numbers]
        is_pair = earlier < later
        pairs = zip(later[is_pair].tolist(), earlier[is_pair].tolist(), distances[is_pair].tolist(), strict=True)
        for image, other, bits in pairs:
            known = ranked.setdefault(image, {})
            known[other] = min(bits, known.get(other, bits))
    near: list[tuple[int, int]] = []
    beyond: list[tuple[int, int]] = []
    for image, known in ranked.items():
        nearest = sorted(known.items(), key=lambda pair: (pair[1], pair[0]))
        near += [(other, image) for other, bits in nearest if bits <= RADIUS][:_MAX_CANDIDATES]
        beyond += [(other, image) for other, bits in nearest if bits > RADIUS][:_MAX_CANDIDATES]
    return near, beyond


def _neighbours(names: Sequence[str], pairs: Sequence[tuple[int, int]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for first, second in pairs:
        near.setdefault(names[second], []).append(names[first])
        near.setdefault(names[first], []).append(names[second])
    return near


def _may_repeat(entry: Entry, other: Entry) -> bool:
    if entry.scope != other.scope or len(entry.images) != len(other.images):
        return False
    near = all(
        one == another or nearest_forms(a, b)[0] <= RADIUS
        for one, another, a, b in zip(entry.images, other.images, entry.hashes, other.hashes, strict=True)
    )
    return near and all(map(same_words, entry.texts, other.texts))
