"""Scores beside their baselines, subsets and option orders."""

import numpy as np
import pytest

from osler.core.catalog import TASKS
from osler.evaluation.conditions import make_asks
from osler.evaluation.context import EvalContext, ItemContext, TaskContext
from osler.evaluation.items import load_items
from osler.evaluation.option_orders import order_rows, turned
from osler.evaluation.results import make_results, make_subgroups
from osler.evaluation.subsets import subsets_of
from osler.infer.sampling import Sampling
from osler.schema.prediction import Prediction
from osler.schema.sample import choice, closed
from osler.scoring.option_order import Turned, option_order

N = 24


def prediction(n, word, condition="image", gold=None):
    return Prediction(
        item_id=f"q{n}", task="t", condition=condition, cluster=f"p{n // 2}", prompt_sha256="0", raw=word or "",
        final=word or "", status="ok" if word else "unparsed", parsed=word, gold=gold or closed("yes"),
    )  # fmt: skip


def context(**fields):
    items = tuple(
        ItemContext(
            item_id=f"q{n}", majority="no", question_prior="yes", subsets={"modality": ("ct", "mr")[n % 2], "same": "x"}
        )
        for n in range(N)
    )
    return EvalContext(
        model="m", tasks=(TaskContext(name="t", version="1", metrics=("closed_accuracy",), items=items),)
    )


def test_each_baseline_stands_beside_the_run_itself():
    said = [prediction(n, "yes") for n in range(N)]
    said += [prediction(n, "yes" if n % 2 else "no", "blind") for n in range(N - 4)]
    (result,) = make_results(said, context())
    blind, majority, prior = (result.baseline[name].paired for name in ("blind", "majority", "question_prior"))
    assert (blind.value, blind.n, blind.n_clusters) == (0.5, N - 4, 10)
    assert blind.p == pytest.approx(2 / 2**10) and blind.p_holm == pytest.approx(2 * 2 / 2**10)
    assert majority.value == 1.0 and majority.p == pytest.approx(2 / 2**12)
    assert majority.p_holm == pytest.approx(3 * 2 / 2**12)
    assert prior.value == 0.0 and prior.p == prior.p_holm == 1.0


def test_subsets_have_rows_of_their_own():
    rows = make_subgroups([prediction(n, "yes" if n % 2 else "no") for n in range(N)], context())
    assert [(row["modality"], row["value"], row["n"]) for row in rows] == [("ct", 0.0, N // 2), ("mr", 1.0, N // 2)]
    assert rows[0]["ci_high"] > 0 and "same" not in rows[0]


def test_verdicts_of_a_check_have_rows_of_their_own():
    (task,) = context().tasks
    verdicts = ["clean", "flagged", "doubtful"]
    items = [item.model_copy(update={"verdict": verdicts[n % 3]}) for n, item in enumerate(task.items)]
    checked = EvalContext(model="m", tasks=(task.model_copy(update={"items": tuple(items)}),))
    said = [prediction(n, "yes" if n % 3 == 1 else "no") for n in range(N)]
    rows = {row["verdict"]: row for row in make_subgroups(said, checked) if "verdict" in row}
    assert {name: (row["value"], row["n"]) for name, row in rows.items()} == {
        "clean": (0.0, N // 3), "doubtful": (0.0, N // 3), "flagged": (1.0, N // 3)
    }  # fmt: skip
    parts = {result.task: result for result in make_results(said, checked)}
    assert [(name, part.n) for name, part in parts.items()] == [("t", N), ("t[clean]", N // 3), ("t[flagged]", 16)]
    assert parts["t[clean]"].baseline["majority"].paired.n == N // 3


def test_subsets_of_an_item(store):
    items = load_items(TASKS.load("phantom_choice"), [store])
    assert subsets_of(items[0]) == {"modality": "x-ray", "question_type": "phantom_choice/choice"}


def test_a_choice_is_turned_in_words_and_in_answer(store):
    items = load_items(TASKS.load("phantom_choice"), [store], limit=3)
    item = items[0]
    other = turned(item, 1)
    options = item.sample.answer.options
    assert other.sample.answer.options == (*options[1:], options[0])
    assert other.sample.answer.text == item.sample.answer.text and other.id == item.id
    assert f"A. {options[1]}\nB. {options[2]}\nC. {options[0]}" in other.turns[-1].text
    assert turned(item, 3) is None
    listed_otherwise = item.sample.model_copy(update={"answer": choice("x", ("x", "y", "z"))})
    assert turned(type(item)(**{**vars(item), "sample": listed_otherwise}), 1) is None
    asks = make_asks(items, "order2", sampling=Sampling(8, 0.0, 0), reasoning=False, seed=0)
    assert [ask.condition for ask in asks] == ["order2"] * 3 and asks[0].item.sample.answer.letter != ""
    closed_items = load_items(TASKS.load("phantom_closed"), [store])
    assert make_asks(closed_items, "order1", sampling=Sampling(8, 0.0, 0), reasoning=False, seed=0) == []


def turned_answers(chosen, num_items=30):
    """Items with three options in all three orders; `chosen` gives the letter from the gold letter."""
    return [
        Turned(f"q{n}", f"p{n // 2}", places, 3, chosen("ABC"[(n - places) % 3]), "ABC"[(n - places) % 3])
        for n in range(num_items)
        for places in range(3)
    ]


def test_who_reads_the_options_is_right_in_every_order():
    found = option_order(turned_answers(lambda gold: gold))
    assert (found.mean.value, found.all_correct.value, found.num_items) == (1.0, 1.0, 30)
    assert (found.chi_square, found.p, found.p_turned) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0), 1.0)
    assert {letter: (p.n, p.accuracy, p.chosen) for letter, p in found.positions.items()} == dict.fromkeys(
        "ABC", (30, 1.0, 30)
    )


def test_who_always_says_a_is_right_a_third_of_the_time_and_never_in_every_order():
    stats = pytest.importorskip("scipy.stats")
    found = option_order(turned_answers(lambda gold: "A"))
    assert (found.mean.value, found.all_correct.value) == (pytest.approx(1 / 3), 0.0)
    assert found.positions["A"].accuracy == 1.0 and found.positions["B"].accuracy == 0.0
    peer = stats.chisquare([90, 0, 0])
    assert (found.chi_square, found.p) == pytest.approx((peer.statistic, peer.pvalue), abs=1e-9)
    assert found.degrees == 2 and found.p_turned < 0.001


def test_unparsed_and_missing_orders_are_counted():
    answers = turned_answers(lambda gold: gold)
    answers[0] = answers[0]._replace(chosen=None)
    found = option_order(answers[:-1])
    assert (found.num_items, found.incomplete, found.mean.unparsed) == (29, 1, 1)
    assert option_order(answers[:2]) is None and option_order([]) is None
    silent = option_order(turned_answers(lambda gold: None))
    assert (silent.chi_square, silent.p, silent.mean.value) == (None, None, 0.0)


def test_orders_of_a_run_make_a_row():
    options = ("x", "y", "z")
    said = []
    for places, condition in enumerate(("image", "order1", "order2")):
        gold = choice("x", (*options[places:], *options[:places]))
        said += [prediction(n, "A", condition, gold) for n in range(N)]
    (row,) = order_rows(said, context())
    assert (row["task"], row["num_items"], row["mean"]["value"]) == ("t", N, pytest.approx(1 / 3))
    assert order_rows(said[:N], context()) == []
    assert np.isfinite(row["p_turned"])
