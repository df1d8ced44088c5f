"""The rows of a plan: which samples share a row, held as a few arrays however many millions they are."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np


@dataclass(frozen=True)
class Document:
    """Samples of one record that are asked together: index rows `rows` of selection number `selection`."""

    selection: int
    rows: tuple[int, ...]


Row = tuple[Document, ...]


class Rows(Sequence[Row]):
    """Rows to read one at a time; a document of one sample takes 18 bytes and no Python object.

    A process that a loader forks shares the arrays, where objects would be copied as soon as they are counted.

    Args:
        rows: taken one after another; only their numbers are kept.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._first_document = array("q", [0])  # per row, and the end
        self._first_sample = array("q", [0])  # per document, and the end
        self._selection = array("h")  # per document
        self._index_rows = array("q")  # per sample
        for row in rows:
            self.append(row)

    def append(self, row: Row) -> None:
        """Add the next row of the plan."""
        for document in row:
            self._selection.append(document.selection)
            self._index_rows.extend(document.rows)
            self._first_sample.append(len(self._index_rows))
        self._first_document.append(len(self._selection))

    def __len__(self) -> int:
        return len(self._first_document) - 1

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._row(number) for number in range(*place.indices(len(self)))]
        number = place + len(self) if place < 0 else place
        if not 0 <= number < len(self):
            raise IndexError(f"row {place} of {len(self)}")
        return self._row(number)

    def __iter__(self) -> Iterator[Row]:
        return (self._row(number) for number in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Rows):
            return all(getattr(self, name) == getattr(other, name) for name in vars(self))
        return isinstance(other, list) and list(self) == other

    __hash__ = None  # type: ignore[assignment] # equal rows may be a list

    def _row(self, number: int) -> Row:
        documents = range(self._first_document[number], self._first_document[number + 1])
        return tuple(
            Document(
                self._selection[each],
                tuple(self._index_rows[self._first_sample[each] : self._first_sample[each + 1]]),
            )
            for each in documents
        )

    @property
    def num_documents(self) -> int:
        """In all rows."""
        return len(self._selection)

    @property
    def num_samples(self) -> int:
        """In all documents; one that is drawn twice counts twice."""
        return len(self._index_rows)

    def by_selection(self, num_selections: int) -> tuple[np.ndarray, np.ndarray]:
        """Documents and samples of each selection; shape [num_selections], int64."""
        selection = np.frombuffer(self._selection, dtype=np.int16)
        num_samples = np.diff(np.frombuffer(self._first_sample, dtype=np.int64))
        samples = np.zeros(num_selections, dtype=np.int64)
        np.add.at(samples, selection, num_samples)
        return np.bincount(selection, minlength=num_selections), samples
