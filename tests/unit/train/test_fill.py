"""Rows under two budgets: nothing lost, nothing split, and full on a mix like the published one."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from osler.core.rng import generator
from osler.train.fill import Budget, Costed, fill_rows

ORDERS = ["stream", "best_fit"]


def documents(num: int, *, most_tokens: int = 90) -> list[Costed[int]]:
    random = generator(0, "fill", num)
    tiles = random.integers(0, 4, num)
    tokens = random.integers(1, most_tokens, num) + 5 * tiles
    return [Costed(number, int(tokens[number]), int(tiles[number])) for number in range(num)]


def published_mix(num: int) -> list[Costed[int]]:
    """Short questions on 1 to 13 tiles, reports on one to three images, instructions and reasoning in words alone."""
    random = generator(0, "published mix")
    kind = random.choice(4, num, p=[0.45, 0.2, 0.25, 0.1])
    one_image = random.choice([1, 3, 5, 7, 10, 13], num, p=[0.2, 0.1, 0.2, 0.15, 0.15, 0.2])
    tiles = np.select([kind == 0, kind == 1], [one_image, one_image * random.integers(1, 4, num)], 0)
    medians = np.array([80, 400, 550, 1800])[kind]
    words = (medians * random.lognormal(0, 0.7, num)).astype(int)
    tokens = np.minimum(20 + words + 144 * tiles, 32_768)
    return [Costed(number, int(tokens[number]), int(tiles[number])) for number in range(num)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("tiles", [None, 6, 3])
def test_every_document_comes_once_and_budgets_are_kept(order: Any, tiles: int | None) -> None:
    given = documents(500)
    rows = list(fill_rows(given, Budget(200, tiles), order=order, look_ahead=20))
    assert sorted(itertools.chain.from_iterable(row.item for row in rows)) == list(range(500))
    for row in rows:
        assert row.tokens == sum(given[number].tokens for number in row.item) <= 200
        assert row.tiles == sum(given[number].tiles for number in row.item)
        assert tiles is None or row.tiles <= tiles


@pytest.mark.parametrize("order", ORDERS)
def test_a_document_larger_than_a_row_is_a_row_of_its_own(order: Any) -> None:
    sizes = [(10, 0), (500, 0), (10, 9), (10, 0)]
    given = [Costed(number, tokens, tiles) for number, (tokens, tiles) in enumerate(sizes)]
    rows = [set(row.item) for row in fill_rows(given, Budget(50, 4), order=order, look_ahead=2)]
    assert {1} in rows and {2} in rows
    assert set.union(*rows) == {0, 1, 2, 3}


def test_the_stream_keeps_the_order_and_closes_a_row_only_when_it_must() -> None:
    given = documents(100)
    rows = list(fill_rows(given, Budget(200, 6)))
    assert list(itertools.chain.from_iterable(row.item for row in rows)) == list(range(100))
    for row, after in itertools.pairwise(rows):
        first = given[after.item[0]]
        assert row.tokens + first.tokens > 200 or row.tiles + first.tiles > 6


def test_best_fit_takes_the_longest_that_fits_the_gap() -> None:
    sizes = [60, 50, 10, 39, 40, 41, 5]
    rows = fill_rows(
        [Costed(number, tokens, 0) for number, tokens in enumerate(sizes)], Budget(100), order="best_fit", look_ahead=10
    )
    assert [row.item for row in rows] == [(0, 4), (1, 2, 3), (5, 6)]


def test_best_fit_looks_no_further_than_it_says() -> None:
    read: list[int] = []

    def stream() -> Iterator[Costed[int]]:
        for document in itertools.cycle(documents(64)):
            read.append(document.item)
            yield document

    rows = fill_rows(stream(), Budget(300), order="best_fit", look_ahead=8)
    taken = sum(len(row.item) for row in itertools.islice(rows, 10))
    assert len(read) - taken <= 16


def test_no_document_waits_beyond_its_turn() -> None:
    """One that fits no gap heads a row as soon as all before it are gone."""
    given = [Costed(number, 99 if number == 3 else 30, 0) for number in range(40)]
    rows = [row.item for row in fill_rows(given, Budget(100), order="best_fit", look_ahead=40)]
    assert rows[:2] == [(0, 1, 2), (3,)]


@pytest.mark.parametrize("row_tiles", [None, 192])
def test_rows_of_32k_are_full_on_a_mix_like_the_published_one(row_tiles: int | None) -> None:
    given = published_mix(4000)
    rows = list(fill_rows(given, Budget(32_768, row_tiles), order="best_fit", look_ahead=512))
    assert np.mean([row.tokens for row in rows[:-1]]) / 32_768 >= 0.98
    naive = np.mean([row.tokens for row in itertools.islice(fill_rows(given, Budget(32_768, row_tiles)), 50)])
    assert naive / 32_768 < 0.98


def test_no_documents_give_no_rows() -> None:
    assert [list(fill_rows([], Budget(5), order=order)) for order in ("stream", "best_fit")] == [[], []]
