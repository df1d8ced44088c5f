"""Documents into rows under two budgets, tokens and tiles; only lengths are looked at, never words or pixels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

import numpy as np

Order = Literal["stream", "best_fit"]
T = TypeVar("T")


class Costed(NamedTuple, Generic[T]):
    """A thing to pack, or a row of packed things, and what it costs."""

    item: T
    tokens: int
    tiles: int


@dataclass(frozen=True)
class Budget:
    """What a row may cost. tiles: None does not limit them."""

    tokens: int
    tiles: int | None = None

    def holds(self, tokens: int, tiles: int) -> bool:
        """Do so many tokens and tiles fit into one row?"""
        return tokens <= self.tokens and (self.tiles is None or tiles <= self.tiles)


def fill_rows(
    documents: Iterable[Costed[T]], budget: Budget, *, order: Order = "stream", look_ahead: int = 512
) -> Iterator[Costed[tuple[T, ...]]]:
    """Rows of documents, none of them split; one larger than the budget is a row of its own.

    Args:
        documents: in the order of training, without end or with one.
        budget: of a row.
        order: `stream` fills rows in the order of the documents. `best_fit` does too until the next does not fit, and
            then fills what is left with the largest of the coming documents that fit. So all but the last few of a
            row come in their order, every document comes once, and none waits longer than for its turn.
        look_ahead: how many coming documents `best_fit` chooses among, at least.
    """
    return _in_stream(documents, budget) if order == "stream" else _best_fit(documents, budget, look_ahead)


def _in_stream(documents: Iterable[Costed[T]], budget: Budget) -> Iterator[Costed[tuple[T, ...]]]:
    row: list[Costed[T]] = []
    tokens = tiles = 0
    for document in documents:
        if row and not budget.holds(tokens + document.tokens, tiles + document.tiles):
            yield _closed(row, tokens, tiles)
            row, tokens, tiles = [], 0, 0
        row.append(document)
        tokens, tiles = tokens + document.tokens, tiles + document.tiles
    if row:
        yield _closed(row, tokens, tiles)


def _best_fit(documents: Iterable[Costed[T]], budget: Budget, look_ahead: int) -> Iterator[Costed[tuple[T, ...]]]:
    coming = _Coming(iter(documents), look_ahead)
    while (first := coming.next()) is not None:
        coming.take_next()
        row, tokens, tiles = [first], first.tokens, first.tiles
        while (after := coming.next()) is not None and budget.holds(tokens + after.tokens, tiles + after.tiles):
            coming.take_next()
            row.append(after)
            tokens, tiles = tokens + after.tokens, tiles + after.tiles
        left_tiles = None if budget.tiles is None else budget.tiles - tiles
        for filler in coming.take_largest(budget.tokens - tokens, left_tiles):
            row.append(filler)
            tokens, tiles = tokens + filler.tokens, tiles + filler.tiles
        yield _closed(row, tokens, tiles)


def _closed(row: list[Costed[T]], tokens: int, tiles: int) -> Costed[tuple[T, ...]]:
    return Costed(tuple(document.item for document in row), tokens, tiles)


class _Coming(Generic[T]):
    """The documents to come: from `look_ahead` to twice as many are held, those already taken marked as such."""

    def __init__(self, documents: Iterator[Costed[T]], look_ahead: int) -> None:
        self._documents = documents
        self._look_ahead = look_ahead
        self._held: list[Costed[T] | None] = []
        self._head = 0
        self._read_more()

    def next(self) -> Costed[T] | None:
        """The first that is not taken; None at the end."""
        while self._head < len(self._held):
            document = self._held[self._head]
            if document is not None:
                return document
            self._head += 1
        return None

    def take_next(self) -> None:
        """Take the first."""
        self._tokens[self._head] = self._too_large
        self._held[self._head] = None
        self._num_left -= 1
        if self._num_left < self._look_ahead:
            self._read_more()

    def take_largest(self, tokens: int, tiles: int | None) -> list[Costed[T]]:
        """One after another the longest document that fits what is left; of equals the first."""
        taken: list[Costed[T]] = []
        while tokens >= self._least_tokens:
            fits = self._tokens <= tokens
            if tiles is not None:
                fits &= self._tiles <= tiles
            place = int(np.where(fits, self._tokens, -1).argmax())
            document = self._held[place] if fits[place] else None
            if document is None:
                break
            taken.append(document)
            tokens -= document.tokens
            tiles = None if tiles is None else tiles - document.tiles
            self._held[place] = None
            self._tokens[place] = self._too_large
            self._num_left -= 1
        if self._num_left < self._look_ahead:
            self._read_more()
        return taken

    _too_large = np.iinfo(np.int64).max

    def _read_more(self) -> None:
        held: list[Costed[T] | None] = [document for document in self._held if document is not None]
        for document in self._documents:
            held.append(document)
            if len(held) >= 2 * self._look_ahead:
                break
        self._held, self._head, self._num_left = held, 0, len(held)
        self._tokens = np.array([document.tokens for document in held if document], dtype=np.int64)
        self._tiles = np.array([document.tiles for document in held if document], dtype=np.int64)
        self._least_tokens = int(self._tokens.min(initial=self._too_large))
