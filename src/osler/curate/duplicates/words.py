"""Words that repeat other words: shared runs of eight, and nearly the same text.

A run of eight shared words finds a passage that was copied whole and misses one in which every sixth word is new. So
texts are also compared by their sets of three-word runs: MinHash in 32 bands of 4 (A. Broder, 1997) proposes pairs, the
sets themselves decide. With these bands a text in which four of thirty words changed is proposed 99 times in 100; with
16 bands of 8, which are customary for web pages, 79 times.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

from osler.core.errors import InputError

RUN, SHINGLE = 8, 3
EDITED = 15
MIN_JACCARD, MIN_BESIDE_IMAGE = 0.7, 0.5
_BANDS, _ROWS = 32, 4
_SEED = 1
_WORD = re.compile(r"\w+")
_MAX_OWNERS = 3


class Match(NamedTuple):
    """A text of the index that another text repeats. `start` and `end` are words of the other text."""

    owner: int
    rule: str
    score: float
    start: int = 0
    end: int = 0


def words(text: str) -> list[str]:
    """The words of a text after Unicode NFKC, in lower case and without punctuation."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def shingles(tokens: list[str]) -> frozenset[str]:
    """The runs of three words; of a shorter text the whole."""
    if len(tokens) < SHINGLE:
        return frozenset([" ".join(tokens)] if tokens else [])
    return frozenset(_runs(tokens, SHINGLE))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """The share of runs that two texts have in common, 0 where one has none."""
    return len(first & second) / len(first | second) if first and second else 0.0


def same_words(first: str, second: str) -> bool:
    """Whether the words about two copies of an image are the same or, from fifteen words on, nearly so.

    Nearly is a Jaccard of at least 0.5: less than between texts alone, as the images agree, since one other word in
    fifteen leaves 0.63. In a shorter text one other word is another question or answer.
    """
    one, other = words(first), words(second)
    if one == other:
        return True
    return min(len(one), len(other)) >= EDITED and jaccard(shingles(one), shingles(other)) >= MIN_BESIDE_IMAGE


class TextIndex:
    """Texts to look for, of which there are few; other texts are compared with all of them at once.

    A run of eight words that stands in more than three of the texts is a common phrase and counts for nothing.
    Texts of fewer than eight words are not looked for: "Is there a fracture?" is nobody's.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._shingles: dict[int, frozenset[str]] = {}
        self._owners: dict[bytes, set[int]] = {}
        self._bands: dict[tuple[int, ...], set[int]] = {}
        for owner, text in enumerate(texts):
            tokens = words(text)
            if len(tokens) < RUN:
                continue
            self._shingles[owner] = shingles(tokens)
            for mark in _marks(tokens):
                self._owners.setdefault(mark, set()).add(owner)
            for band in _signature(self._shingles[owner]):
                self._bands.setdefault(band, set()).add(owner)

    def matches(self, text: str) -> list[Match]:
        """The texts of the index that `text` repeats: by a run of eight words, or as a whole."""
        tokens = words(text)
        if len(tokens) < RUN or not self._shingles:
            return []
        return [*self._by_run(tokens), *self._by_set(tokens)]

    def _by_run(self, tokens: list[str]) -> Iterator[Match]:
        spans: dict[int, list[int]] = {}
        for start, mark in enumerate(_marks(tokens)):
            owners = self._owners.get(mark, set())
            for owner in owners if len(owners) <= _MAX_OWNERS else ():
                spans.setdefault(owner, []).append(start)
        for owner, starts in sorted(spans.items()):
            first = starts[0]
            last = next((n for n, start in enumerate(starts) if start != first + n), len(starts)) - 1
            yield Match(owner, "run_of_8_words", float(len(starts)), first, first + last + RUN)

    def _by_set(self, tokens: list[str]) -> Iterator[Match]:
        runs = shingles(tokens)
        found: set[int] = set()
        for band in _signature(runs):
            found |= self._bands.get(band, set())
        for owner in sorted(found):
            score = jaccard(runs, self._shingles[owner])
            if score >= MIN_JACCARD:
                yield Match(owner, "same_words", score, 0, len(tokens))


def _runs(tokens: list[str], size: int) -> Iterator[str]:
    return (" ".join(tokens[start : start + size]) for start in range(len(tokens) - size + 1))


def _marks(tokens: list[str]) -> Iterator[bytes]:
    return (blake2b(run.encode(), digest_size=8).digest() for run in _runs(tokens, RUN))


def _signature(runs: frozenset[str]) -> list[tuple[int, ...]]:
    """The bands of a MinHash, each with its number in front."""
    hasher = _minhash()(num_perm=_BANDS * _ROWS, seed=_SEED)
    hasher.update(sorted(runs))
    digest = hasher.digest()
    return [(band, *digest[band * _ROWS : (band + 1) * _ROWS]) for band in range(_BANDS)]


def _minhash() -> Any:
    try:
        from rensa import RMinHash
    except ImportError as error:
        raise InputError(
            "comparing texts needs the package rensa",
            fix="Install the extra that brings it: pip install 'osler[curate]'.",
        ) from error
    return RMinHash
