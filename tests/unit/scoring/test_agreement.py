"""Agreement against worked examples of the literature and sums done by hand."""

import pytest

from osler.core.errors import InputError
from osler.scoring.agreement import agreement, cohen_kappa, krippendorff_alpha

# Krippendorff's own example of four observers and twelve units with values missing.
OBSERVERS = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]
UNITS = [
    [float(value) for value in column if value != "."]
    for column in zip(*(line.split() for line in OBSERVERS), strict=True)
]


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_equals_the_published_example(level, value):
    assert krippendorff_alpha(UNITS, level=level) == pytest.approx(value, abs=5e-4)


def test_kappa_by_hand():
    # 20 and 15 of 50 on the diagonal: 0.7 seen, 0.5 by chance
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


def test_kappa_equals_statsmodels():
    # cohens_kappa of statsmodels 0.15.0 on the table of these two raters, plain and with wt="quadratic"
    first = [int(value) for value in "021102201120010212210022"]
    second = [int(value) for value in "021102101020011212220012"]
    assert cohen_kappa(first, second) == pytest.approx(0.6874999999999999)
    assert cohen_kappa(first, second, weights="quadratic") == pytest.approx(0.8484848484848485)


def test_nothing_to_agree_on_is_no_value():
    assert cohen_kappa([1, 1], [1, 1]) is None
    assert krippendorff_alpha([[1, 1], [1, 1]]) is None
    assert krippendorff_alpha([[1, 2]]) is None
    assert krippendorff_alpha([]) is None
    with pytest.raises(InputError, match="same units"):
        cohen_kappa([1], [1, 2])


def test_agreement_takes_the_units_that_two_rated():
    ratings = {"a": {"u": 0, "v": 1, "w": 2, "x": 0}, "b": {"u": 0, "v": 1, "w": 1}}
    clusters = {"u": "p", "v": "q", "w": "q", "x": "r"}
    found = agreement(ratings, clusters, level="ordinal")
    assert (found.n, found.n_clusters, found.observed) == (3, 2, pytest.approx(2 / 3))
    # by hand: 2 of 3 seen; by chance (1/3)(1/3) + (1/3)(2/3) = 1/3
    assert found.kappa == pytest.approx(0.5)
    assert found.alpha.value == pytest.approx(krippendorff_alpha([[0, 0], [1, 1], [2, 1]], level="ordinal"))


def test_three_raters_have_an_alpha_and_no_kappa():
    found = agreement({"a": {1: 0, 2: 1}, "b": {1: 0, 2: 1}, "c": {1: 0, 2: 1}}, {1: 1, 2: 2}, level="nominal")
    assert (found.kappa, found.alpha.value, found.observed) == (None, 1.0, 1.0)


def test_nobody_rated_the_same():
    found = agreement({"a": {1: 0}, "b": {2: 1}}, {1: 1, 2: 2}, level="nominal")
    assert (found.n, found.observed, found.kappa, found.alpha.value) == (0, None, None, None)
