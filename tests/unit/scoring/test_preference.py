"""Preferences against every case written out, and strengths against solutions in closed form."""

from itertools import product

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.scoring.preference import Preference, bradley_terry, combine, strengths, win_rate, wins_table


def pairs(outcomes, first="a", second="b", clusters=None) -> list[Preference]:
    return [
        Preference(first, second, outcome, f"i{place}", clusters[place] if clusters else place)
        for place, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize(
    ("shown", "swapped", "outcome"),
    [
        ("left", "right", "first"),
        ("right", "left", "second"),
        ("left", "left", "inconsistent"),
        ("right", "right", "inconsistent"),
        ("tie", "tie", "tie"),
        ("both_bad", "both_bad", "both_bad"),
        ("tie", "both_bad", "tie"),
        ("left", "tie", "inconsistent"),
        ("both_bad", "left", "inconsistent"),
        (None, "left", None),
        ("tie", None, None),
    ],
)
def test_a_pair_judged_in_both_orders(shown, swapped, outcome):
    assert combine(shown, swapped) == outcome


def test_win_rate_by_hand():
    found = win_rate(pairs(["first", "first", "second", "tie", "both_bad", "inconsistent", "first", "first"]), seed=0)
    assert found.rate.value == pytest.approx((4 + 1.5) / 8)
    assert found.decided.value == pytest.approx(4 / 5)
    assert found.counts == {"first": 4, "second": 1, "tie": 1, "both_bad": 1, "inconsistent": 1}
    assert found.rate.low < found.rate.value < found.rate.high


def test_p_equals_the_enumeration_of_all_signs():
    outcomes = ["first", "first", "tie", "second", "first", "first", "second", "first", "first", "first"]
    clusters = [0, 0, 1, 2, 3, 4, 4, 5, 6, 7]
    sums = np.zeros(8)
    for outcome, cluster in zip(outcomes, clusters, strict=True):
        sums[cluster] += {"first": 1, "second": -1}.get(outcome, 0)
    seen = abs(sums.sum())
    all_signs = [abs((np.array(signs) * sums).sum()) >= seen for signs in product((1, -1), repeat=8)]
    found = win_rate(pairs(outcomes, clusters=clusters), seed=0)
    assert found.p.p == pytest.approx(np.mean(all_signs))
    assert found.p.method.startswith("exact")


def test_the_interval_is_near_the_enumeration_of_all_draws():
    outcomes = ["first", "second", "first", "tie", "first"]
    points = np.array([1, 0, 1, 0.5, 1])
    draws = [points[list(drawn)].mean() for drawn in product(range(5), repeat=5)]
    found = strengths_and_rate(outcomes)
    assert found.rate.value == points.mean()
    percentile = np.quantile(draws, [0.025, 0.975])
    assert found.rate.low == pytest.approx(percentile[0], abs=0.11)
    assert found.rate.high == pytest.approx(percentile[1], abs=0.11)


def strengths_and_rate(outcomes):
    return win_rate(pairs(outcomes), seed=1)


def test_only_ties_have_a_rate_and_no_decided_share():
    found = win_rate(pairs(["tie", "both_bad"]), seed=0)
    assert (found.rate.value, found.decided.value, found.p.p) == (0.5, None, 1.0)


def test_a_model_that_always_wins_still_has_an_interval():
    found = win_rate(pairs(["first"] * 6, clusters=[0, 0, 1, 1, 2, 2]), seed=0)
    # Wilson's lower bound of 3 of 3: 3 / (3 + 1.96^2)
    assert (found.rate.low, found.rate.high) == (pytest.approx(3 / (3 + 1.959964**2), abs=1e-5), pytest.approx(1.0))
    assert found.p.p == 0.25


def test_a_rate_of_nothing_or_of_several_pairs_of_models_is_refused():
    with pytest.raises(InputError, match="of two models"):
        win_rate([], seed=0)
    with pytest.raises(InputError, match="of two models"):
        win_rate([*pairs(["first"]), *pairs(["first"], second="c")], seed=0)


def test_two_models_have_the_odds_as_strength():
    found = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]))
    assert found[0] / found[1] == pytest.approx(3.0)
    assert found.prod() == pytest.approx(1.0)


def test_strengths_that_made_the_wins_are_found_again():
    true = np.array([4.0, 1.0, 0.5, 0.5])
    wins = 100 * true[:, None] / (true[:, None] + true[None, :])
    np.fill_diagonal(wins, 0)
    assert bradley_terry(wins) == pytest.approx(true / np.prod(true) ** 0.25, rel=1e-6)


def test_strengths_have_the_greatest_likelihood():
    wins = np.array([[0.0, 7, 3], [2, 0, 6], [4, 1, 0]])

    def likelihood(logs):
        apart = logs[:, None] - logs[None, :]
        return -(wins * np.log1p(np.exp(-apart))).sum()

    found = np.log(bradley_terry(wins))
    best = likelihood(found)
    for step in product((-1e-3, 0, 1e-3), repeat=3):
        assert likelihood(found + np.array(step)) <= best + 1e-12
    expected = 1 / (1 + np.exp(found[None, :] - found[:, None]))
    assert ((wins + wins.T) * expected).sum(axis=1) == pytest.approx(wins.sum(axis=1))


def test_a_model_that_never_loses_or_was_never_compared_has_no_finite_strength():
    assert np.isnan(bradley_terry(np.array([[0.0, 5], [0, 0]]))).all()
    assert np.isnan(bradley_terry(np.array([[0.0, 2, 0], [3, 0, 0], [0, 0, 0]]))).all()


def test_strengths_with_intervals():
    judged = [
        *pairs(["first"] * 12 + ["second"] * 5 + ["tie"] * 3),
        *pairs(["first"] * 9 + ["second"] * 8 + ["both_bad"] * 3, first="b", second="c"),
    ]
    found = strengths(judged, ["a", "b", "c"], seed=0)
    assert wins_table(judged, ["a", "b", "c"]).tolist() == [[0, 13.5, 0], [6.5, 0, 10.5], [0, 9.5, 0]]
    assert found["a"].value - found["b"].value == pytest.approx(np.log(13.5 / 6.5))
    assert found["b"].value - found["c"].value == pytest.approx(np.log(10.5 / 9.5))
    assert found["a"].low < found["a"].value < found["a"].high
    assert strengths([], ["a", "b"], seed=0)["a"].value is None
