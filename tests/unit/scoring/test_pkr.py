"""PKR against sums done by hand, the published table, and every possible reading of what could not be read."""

from itertools import product

import pytest

from osler.core.errors import InputError
from osler.scoring.pkr import UnitVerdict, overall, trace_score


def unit(axis, number, presence, correctness=None) -> UnitVerdict:
    return UnitVerdict(axis, f"{axis[0]}{number}", presence, correctness)


BY_HAND = [
    unit("perception", 1, 2, 1),
    unit("perception", 2, 1, -1),
    unit("perception", 3, 0),
    unit("perception", 4, 1, 1),
    unit("knowledge", 1, 2, 1),
    unit("knowledge", 2, 2, 0),
    unit("rationale", 1, 0),
    unit("rationale", 2, 0),
]


def test_hand_made_units_equal_the_sums_done_by_hand():
    score = trace_score(BY_HAND)
    # perception: (1 + 1/2 + 0 + 1/2) / 4 = 1/2, two of three right; knowledge: 1, one of two; rationale: 0
    assert score.axes["perception"].presence == 0.5
    assert score.axes["perception"].correctness == pytest.approx(2 / 3)
    assert score.axes["perception"].score == pytest.approx(1 / 3)
    assert score.axes["knowledge"].score == 0.5
    assert (score.axes["rationale"].score, score.axes["rationale"].correctness) == (0.0, None)
    assert score.value == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)
    assert (score.low, score.high) == (pytest.approx(score.value), pytest.approx(score.value))
    assert (score.num_units, score.num_unread) == (8, 0)


def test_published_axis_values_give_the_published_score():
    assert 70.9 <= overall([61.9, 70.8, 80.2]) <= 71.0
    with pytest.raises(InputError, match="3 values"):
        overall([61.9, 70.8])


def test_a_wrong_and_a_hedged_claim_count_alike_as_not_right():
    wrong, hedged = (trace_score([unit("knowledge", 1, 2, value)]).value for value in (-1, 0))
    assert wrong == hedged == 0.0


def test_an_axis_without_units_has_no_part():
    assert trace_score([unit("perception", 1, 2, 1)]).value == 1.0
    assert trace_score([]).value is None


def test_an_unread_verdict_is_left_out_counted_and_bounded():
    score = trace_score([unit("perception", 1, 2, 1), unit("perception", 2, None), unit("knowledge", 1, 1, 1)])
    assert score.axes["perception"].score == 1.0
    assert score.num_unread == 1
    assert score.low < score.value <= score.high
    nothing = trace_score([unit("perception", 1, None), unit("knowledge", 1, 2, 1)])
    assert nothing.value is None
    assert (nothing.low, nothing.high) == (0.5, 1.0)


@pytest.mark.parametrize(
    "known", [[], [(2, 1)], [(1, 1)], [(1, -1)], [(0, None), (1, 1)], [(2, 1), (1, 1), (2, -1)], [(1, 1), (0, None)]]
)
@pytest.mark.parametrize("num_absent", [0, 1, 2])
@pytest.mark.parametrize("num_uncertain", [0, 1])
def test_bounds_are_those_of_every_possible_reading(known, num_absent, num_uncertain):
    fixed = [unit("rationale", place, *each) for place, each in enumerate(known)]
    absent = [unit("rationale", 10 + place, None) for place in range(num_absent)]
    uncertain = [unit("rationale", 20 + place, 1, None) for place in range(num_uncertain)]
    if not fixed + absent + uncertain:
        return
    states = [[(0, None), (1, 0), (1, 1), (2, 0), (2, 1)]] * num_absent + [[(1, 0), (1, 1)]] * num_uncertain
    values = [
        trace_score([*fixed, *(unit("rationale", 30 + place, *each) for place, each in enumerate(reading))]).value
        for reading in product(*states)
    ]
    score = trace_score([*fixed, *absent, *uncertain])
    assert score.low == pytest.approx(min(values))
    assert score.high == pytest.approx(max(values))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("logic", "u", 1, 1), "no such axis"),
        (("knowledge", "u", 3, 1), "no such presence"),
        (("knowledge", "u", 2, 2), "no such correctness"),
        (("knowledge", "u", 0, 1), "although it is not there"),
        (("knowledge", "u", None, 1), "although it is not there"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        UnitVerdict(*arguments)


def test_two_verdicts_on_one_unit_are_refused():
    with pytest.raises(InputError, match="two verdicts on unit k1"):
        trace_score([unit("knowledge", 1, 0), unit("knowledge", 1, 2, 1)])
