"""Rows held in arrays: the same rows as in a list, a fraction of its bytes, safe to hand to other processes."""

import pickle
import tracemalloc

import numpy as np
import pytest

from osler.train.rows import Document, Rows

ROWS = [
    (Document(0, (5, 6, 9)), Document(2, (1,))),
    (),
    (Document(1, (2**40,)),),
    (Document(0, (5,)), Document(0, (7,)), Document(2, (0, 3))),
]


def test_rows_come_back_as_they_were_put_in() -> None:
    rows = Rows(ROWS)
    assert len(rows) == 4 and list(rows) == ROWS and list(reversed(rows)) == ROWS[::-1]
    assert [rows[place] for place in (0, 3, -1, -4)] == [ROWS[place] for place in (0, 3, -1, -4)]
    assert rows[1:3] == ROWS[1:3] and rows[::-2] == ROWS[::-2]
    for place in (4, -5):
        with pytest.raises(IndexError, match=f"row {place} of 4"):
            rows[place]


def test_rows_equal_rows_and_lists_of_the_same_content() -> None:
    rows = Rows(ROWS)
    assert rows == Rows(ROWS) and rows == ROWS and pickle.loads(pickle.dumps(rows)) == rows  # noqa: S301
    assert rows != Rows(ROWS[:3]) and rows != ROWS[:3] and Rows() == []
    # The same documents in other rows, and the same samples in other documents.
    assert Rows([(*ROWS[0], *ROWS[2])]) != Rows([ROWS[0], ROWS[2]])
    assert Rows([(Document(0, (1, 2)),)]) != Rows([(Document(0, (1,)), Document(0, (2,)))])


def test_documents_and_samples_are_counted_by_selection() -> None:
    rows = Rows(ROWS)
    assert rows.num_documents == 6 and rows.num_samples == 9
    documents, samples = rows.by_selection(4)
    assert documents.tolist() == [3, 1, 2, 0] and samples.tolist() == [5, 1, 3, 0]
    assert [each.tolist() for each in Rows().by_selection(2)] == [[0, 0], [0, 0]]


def test_a_document_takes_few_bytes() -> None:
    tracemalloc.start()
    rows = Rows((Document(0, (number,)),) * 20 for number in range(1000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 1000 and held < 20 * 1000 * 40  # as objects, 200 and more
    assert np.all([document.rows == (999,) for document in rows[-1]])
