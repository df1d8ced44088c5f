"""Plans of rows: a pure function of index, seed and step; budgets, weights and mixtures are kept."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.store.reader import Store
from osler.train.pack import Document, Lengths, Row, Selection, _filled_rows, plan_rows, select

LENGTHS = Lengths(per_estimate=1.0, prefix=10, per_tile=36, tile_px=96, max_tiles=4)


def chosen(store: Store, *, weight: float = 1.0, tasks: dict[str, float] | None = None) -> Selection:
    return select(store, split="train", tasks=tasks, licences=None, weight=weight)


def plan(selections: list[Selection], *, num_rows: int = 40, **changes: Any) -> list[Row]:
    options = {
        "rows_per_step": 1,
        "row_tokens": 200,
        "questions_per_image": 3,
        "seed": 1,
        "window_shards": None,
        **changes,
    }
    return plan_rows(selections, [LENGTHS] * len(selections), num_rows=num_rows, **options)


def documents(rows: list[Row]) -> list[Document]:
    return [document for row in rows for document in row]


def tokens(document: Document, selection: Selection) -> int:
    prefix, own = LENGTHS.of(selection)
    return int(prefix[document.rows[0]] + own[list(document.rows)].sum())


def test_a_row_keeps_to_its_budget_unless_one_document_is_longer(store: Store) -> None:
    selection = chosen(store)
    for row in plan([selection]):
        filled = sum(tokens(document, selection) for document in row)
        assert filled <= 200 or len(row) == 1


def test_a_row_is_filled_before_the_next_begins(store: Store) -> None:
    selection = chosen(store)
    options: dict[str, Any] = {"row_tokens": 200, "questions_per_image": 3, "seed": 1, "window_shards": None}
    rows = list(itertools.islice(_filled_rows([selection], [LENGTHS], **options), 40))
    for (row, filled), (after, _) in itertools.pairwise(rows):
        assert filled == sum(tokens(document, selection) for document in row)
        assert filled + tokens(after[0], selection) > 200


def test_rows_of_a_step_are_of_like_length(store: Store) -> None:
    selection = chosen(store)

    def spread(rows_per_step: int) -> float:
        lengths = [sum(tokens(document, selection) for document in row) for row in plan([selection], num_rows=64)]
        alike = plan([selection], num_rows=64, rows_per_step=rows_per_step)
        sorted_lengths = [sum(tokens(document, selection) for document in row) for row in alike]
        steps = np.reshape(sorted_lengths, (-1, 4)) if rows_per_step == 4 else np.reshape(lengths, (-1, 4))
        return float(np.ptp(steps, axis=1).mean())

    assert spread(4) < spread(1) / 2


def test_every_record_comes_once_an_epoch(store: Store) -> None:
    selection = chosen(store, tasks={"toy_caption": 1})
    drawn = [document.rows for document in documents(plan([selection], row_tokens=1, num_rows=48))]
    assert Counter(drawn) == {(row,): 4 for row in range(12)}
    assert drawn[:12] != drawn[12:24]


def test_no_document_asks_more_than_allowed_and_none_twice(store: Store) -> None:
    for document in documents(plan([chosen(store)])):
        assert 1 <= len(document.rows) <= 3
        assert list(document.rows) == sorted(set(document.rows))


def test_heavier_tasks_are_asked_oftener(store: Store) -> None:
    weights = {"toy_side": 1.0, "toy_height": 1.0, "toy_choice": 10.0, "toy_caption": 1.0}
    selection = chosen(store, tasks=weights)
    names = selection.table.column("task").to_pylist()
    asked = documents(plan([selection], num_rows=300, questions_per_image=1))
    shares = Counter(names[row] for document in asked for row in document.rows)
    assert shares["toy_choice"] / sum(shares.values()) == pytest.approx(10 / 13, abs=0.06)


def test_sources_come_by_weight(store: Store) -> None:
    heavy, light = chosen(store, weight=3, tasks={"toy_side": 1}), chosen(store, weight=1, tasks={"toy_choice": 1})
    drawn = Counter(document.selection for document in documents(plan([heavy, light], num_rows=100, row_tokens=1)))
    assert drawn[0] == pytest.approx(75, abs=2)


def test_another_seed_gives_another_order(store: Store) -> None:
    assert plan([chosen(store)], seed=1) == plan([chosen(store)], seed=1)
    assert plan([chosen(store)], seed=1) != plan([chosen(store)], seed=2)


def test_a_windowed_plan_draws_the_same_records(store: Store) -> None:
    selection = chosen(store, tasks={"toy_caption": 1})
    drawn = documents(plan([selection], row_tokens=1, num_rows=48, window_shards=1))
    assert Counter(document.rows for document in drawn) == {(row,): 4 for row in range(12)}


def test_lengths_count_tiles_by_the_models_own_rule(store: Store) -> None:
    prefix, own = LENGTHS.of(chosen(store))
    assert set(prefix) == {10 + 36, 10}  # one tile of 96 px; the records of text alone have none
    assert own.dtype == np.int64


def test_a_task_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(InputError, match="toy_chioce"):
        chosen(store, tasks={"toy_chioce": 1.0})
