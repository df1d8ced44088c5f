import sys

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.curate.duplicates.hamming import HashIndex, distance, stacked


def codes(number: int) -> np.ndarray:
    return generator(0, "codes", number).integers(0, 256, (number, 32), dtype=np.uint8)


def pairs(index: HashIndex, queries: np.ndarray, radius: int) -> list[tuple[int, int, int]]:
    return [tuple(map(int, pair)) for piece in index.near(queries, radius) for pair in zip(*piece, strict=True)]


def slow(queries: np.ndarray, held: np.ndarray, radius: int) -> list[tuple[int, int, int]]:
    every = [(q, h, distance(a.tobytes(), b.tobytes())) for q, a in enumerate(queries) for h, b in enumerate(held)]
    return sorted((p for p in every if p[2] <= radius), key=lambda p: (p[0], p[2], p[1]))


@pytest.mark.parametrize("radius", [0, 100, 115, 256])
@pytest.mark.parametrize("with_faiss", [True, False])
def test_it_finds_all_pairs_and_no_others(radius, with_faiss, monkeypatch):
    if not with_faiss:
        monkeypatch.setitem(sys.modules, "faiss", None)
    held = codes(300)
    queries = np.concatenate([held[:3], codes(40), 255 - held[:2]])
    index = HashIndex(held)
    assert (index._flat is not None) is with_faiss
    assert pairs(index, queries, radius) == slow(queries, held, radius)


def test_nothing_to_search_in_or_for():
    assert pairs(HashIndex(codes(5)[:0]), codes(3), 256) == []
    assert pairs(HashIndex(codes(5)), codes(3)[:0], 256) == []


@pytest.mark.parametrize("wrong", [np.zeros((3, 8), np.uint8), np.zeros((3, 32), np.int64), np.zeros(32, np.uint8)])
def test_hashes_of_64_bits_are_refused(wrong):
    """64 bits never decide that something is a copy: nothing takes them."""
    with pytest.raises(InputError, match="256 bits"):
        HashIndex(wrong)
    with pytest.raises(InputError, match="256 bits"):
        list(HashIndex(codes(2)).near(wrong, 8))


def test_hashes_stack():
    assert stacked([b"\x01" * 32, b"\x02" * 32]).tolist() == [[1] * 32, [2] * 32]
    assert stacked([]).shape == (0, 32)
    assert distance(b"\x00" * 32, b"\x03" + bytes(31)) == 2
