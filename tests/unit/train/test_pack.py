"""Plans of rows: a pure function of index, seed and step; budgets, weights and mixtures are kept."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.store.reader import Store
from osler.train.fill_report import fill_report, source_names
from osler.train.pack import Lengths, Packing, Plan, Selection, plan_rows, select
from osler.train.pack import plan as make_plan
from osler.train.rows import Document, Row, Rows

LENGTHS = Lengths(per_estimate=1.0, prefix=10, per_tile=36, tile_px=96, max_tiles=4)


def chosen(store: Store, *, weight: float = 1.0, tasks: dict[str, float] | None = None) -> Selection:
    return select(store, split="train", tasks=tasks, licences=None, weight=weight)


def plan(selections: list[Selection], *, num_rows: int = 40, **changes: Any) -> Rows:
    options = {
        "rows_per_step": 1,
        "row_tokens": 200,
        "questions_per_image": 3,
        "seed": 1,
        "window_shards": None,
        **changes,
    }
    return plan_rows(selections, [LENGTHS] * len(selections), num_rows=num_rows, **options)


def documents(rows: Sequence[Row]) -> list[Document]:
    return [document for row in rows for document in row]


def tokens(document: Document, selection: Selection) -> int:
    prefix, own = LENGTHS.of(selection)
    return int(prefix[document.rows[0]] + own[list(document.rows)].sum())


def test_a_row_keeps_to_its_budget_unless_one_document_is_longer(store: Store) -> None:
    selection = chosen(store)
    for row in plan([selection]):
        filled = sum(tokens(document, selection) for document in row)
        assert filled <= 200 or len(row) == 1


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


def packed(selections: list[Selection], *, num_rows: int = 40, lengths: Lengths = LENGTHS, **changes: Any) -> Plan:
    return make_plan(selections, [lengths] * len(selections), packing=packing(**changes), num_rows=num_rows, seed=1)


def packing(**changes: Any) -> Packing:
    plain: dict[str, Any] = {
        "row_tokens": 200,
        "row_tiles": None,
        "rows_per_step": 1,
        "questions_per_image": 3,
        "window_shards": None,
        "order": "stream",
        "look_ahead": 16,
        "overlong": "keep",
    }
    return Packing(**{**plain, **changes})


def test_the_plain_plan_is_that_of_the_stream_without_a_tile_budget(store: Store) -> None:
    selection = chosen(store)
    assert packed([selection]).rows == plan([selection])
    assert packed([selection], overlong="drop", row_tokens=2000).rows == plan([selection], row_tokens=2000)


def test_a_plan_of_the_demo_kind_is_what_it_was(store: Store) -> None:
    """Rows of the first version of this file; a change here changes the demo's numbers."""
    selections = [chosen(store, weight=3), chosen(store, weight=1, tasks={"toy_choice": 1})]
    rows = plan(selections, rows_per_step=4, num_rows=64)
    digest = hashlib.sha256(repr([[(d.selection, d.rows) for d in row] for row in rows]).encode()).hexdigest()
    assert digest[:16] == "4f374651c2e59af3"


@pytest.mark.parametrize("order", ["stream", "best_fit"])
def test_both_budgets_are_kept(store: Store, order: str) -> None:
    selection = chosen(store)
    made = packed([selection], order=order, row_tiles=2, row_tokens=400)
    tiles = LENGTHS.tiles(selection)
    for row, row_tokens, row_tiles in zip(made.rows, made.tokens, made.tiles, strict=True):
        assert row_tokens == sum(tokens(document, selection) for document in row) <= 400
        assert row_tiles == sum(tiles[document.rows[0]] for document in row) <= 2


@pytest.mark.parametrize("order", ["stream", "best_fit"])
def test_a_longer_plan_begins_with_the_shorter(store: Store, order: str) -> None:
    short, long = (packed([chosen(store)], order=order, rows_per_step=2, num_rows=count) for count in (5, 50))
    assert long.rows[:5] == short.rows


def test_best_fit_is_fuller_and_draws_the_same_records(store: Store) -> None:
    selection = chosen(store)
    stream, best = (packed([selection], order=order, num_rows=60, row_tokens=250) for order in ("stream", "best_fit"))
    assert best.tokens.mean() > stream.tokens.mean()
    drawn = Counter(document.rows[0] // 5 for document in documents(best.rows) if document.rows[0] < 60)
    assert len(drawn) == 12 and max(drawn.values()) - min(drawn.values()) <= 3


def test_overlong_samples_are_dropped_with_a_reason_and_by_name(store: Store) -> None:
    selection = chosen(store)
    prefix, own = LENGTHS.of(selection)
    limit = int((prefix + own).max()) - 1
    made = packed([selection], overlong="drop", row_tokens=limit)
    too_long = np.flatnonzero(prefix + own > limit)
    assert made.dropped == {"tokens_over_row_tokens": len(too_long)} and made.overlong == len(too_long)
    assert made.dropped_ids[0] == selection.table["sample_id"][int(too_long[0])].as_py()
    assert not set(too_long) & {row for document in documents(made.rows) for row in document.rows}
    assert made.tokens.max() <= limit


def test_images_over_the_budget_are_dropped_or_refused_by_name(store: Store) -> None:
    selection = chosen(store)
    made = packed([selection], overlong="drop", row_tiles=0)
    assert made.dropped == {"tiles_over_row_tiles": 60}
    assert made.records == (4,)  # those of text alone
    assert packed([selection], overlong="drop", row_tokens=40).dropped["image_tokens_over_row_tokens"] == 60
    with pytest.raises(InputError, match="60 samples .* no row can hold: toy/train/0/toy_side.*pack.overlong to drop"):
        packed([selection], overlong="cut", row_tiles=0)


def test_nothing_left_to_draw_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match="no sample .* fits a row.*at most 5 tokens"):
        packed([chosen(store)], overlong="drop", row_tokens=5)


def test_questions_that_exceed_a_row_together_are_spread_over_documents(store: Store) -> None:
    selection = chosen(store)
    prefix, own = LENGTHS.of(selection)
    limit = int((prefix + own).max())
    made = packed([selection], overlong="drop", row_tokens=limit, questions_per_image=5, num_rows=200)
    assert not made.dropped and made.tokens.max() <= limit
    asked = Counter(row for document in documents(made.rows) for row in document.rows)
    assert set(asked) == set(range(64))


def test_what_will_be_cut_is_planned_at_the_length_of_a_row(store: Store) -> None:
    selection = chosen(store)
    prefix, own = LENGTHS.of(selection)
    limit = int(prefix.max()) + 8
    made = packed([selection], overlong="cut", row_tokens=limit, num_rows=100)
    assert made.overlong == int((prefix + own > limit).sum()) > 0 and not made.dropped
    assert made.tokens.max() <= limit


def test_withheld_images_cost_no_tiles(store: Store) -> None:
    selection = select(store, split="train", tasks=None, licences=None, weight=1.0, withhold_images=True)
    assert not LENGTHS.tiles(selection).any()
    assert packed([selection], row_tiles=0).tiles.max() == 0


def test_a_cap_on_enlargement_counts_in_the_plan(store: Store) -> None:
    small = {"per_estimate": 1.0, "prefix": 10, "per_tile": 36, "tile_px": 48, "max_tiles": 12}
    selection = chosen(store)
    assert set(Lengths(**small).tiles(selection)) == {5, 0}  # 96 px as 2 x 2 tiles of 48 px and a thumbnail
    assert set(Lengths(**small, max_upscale=0.9).tiles(selection)) == {1, 0}


def test_the_report_says_how_full_the_rows_are(store: Store) -> None:
    selections = [chosen(store), chosen(store, tasks={"toy_choice": 1})]
    options = packing(row_tiles=4, overlong="drop", rows_per_step=4)
    made = make_plan(selections, [LENGTHS] * 2, packing=options, num_rows=40, seed=1)
    report = fill_report(made, selections, options)
    assert report["rows"] == 40 and report["tokens"] == made.tokens.sum()
    assert report["fill_tokens"] == pytest.approx(made.tokens.sum() / 8000, abs=1e-6)
    assert report["fill_tiles"] == pytest.approx(made.tiles.sum() / 160, abs=1e-6)
    assert report["fill_steps"] == pytest.approx(
        made.tokens.sum() / (4 * made.tokens.reshape(10, 4).max(1).sum()), abs=1e-6
    )
    assert report["documents"] == sum(source["documents"] for source in report["sources"])
    assert report["samples"] == sum(source["samples"] for source in report["sources"])
    assert [source["name"] for source in report["sources"]] == ["toy", "toy:toy_choice"]
    assert json.loads(json.dumps(report)) == report


def test_a_row_beyond_its_budget_counts_as_full(store: Store) -> None:
    report = fill_report(packed([chosen(store)], row_tokens=1), [chosen(store)], packing(row_tokens=1))
    assert report["fill_tokens"] == 1.0 and report["rows_over_row_tokens"] == 40


def test_sources_have_names_of_their_own(store: Store) -> None:
    withheld = select(store, split="train", tasks=None, licences=None, weight=1.0, withhold_images=True)
    assert source_names([chosen(store), chosen(store), withheld]) == ("toy#1", "toy#2", "toy without images")
