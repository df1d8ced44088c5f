import numpy as np
import pytest
from scipy import stats

from osler.scoring.encoders.ranks import (
    critical_difference,
    friedman,
    least_p,
    mean_ranks,
    rank_encoders,
    studentized_range,
    undivided,
    wilcoxon,
)


def test_ranks_share_ties_as_scipy_does():
    values = np.asarray([3.0, 1.0, 1.0, 2.0, 3.0, 3.0])
    assert mean_ranks(values).tolist() == stats.rankdata(values).tolist()


@pytest.mark.parametrize("num", [2, 3, 5, 10])
def test_the_studentized_range_is_scipys(num):
    assert studentized_range(num) == pytest.approx(stats.studentized_range.ppf(0.95, num, 100_000), abs=2e-3)


def test_the_critical_difference_is_that_of_demsars_table():
    # Demsar 2006, section 3.2.2: 4 classifiers on 14 sets, q 2.569.
    assert critical_difference(4, 14) == pytest.approx(2.569 * (4 * 5 / (6 * 14)) ** 0.5, abs=2e-3)


def test_friedman_by_chi_square_is_scipys_and_exact_where_it_can_be():
    scores = np.random.default_rng(0).random((12, 4))
    ranks = np.stack([mean_ranks(-row) for row in scores])
    p, how = friedman(ranks)
    assert p == pytest.approx(stats.friedmanchisquare(*scores.T).pvalue)
    assert "chi-square" in how
    # Three encoders in the same order on three sets: 6 of 216 orders agree so fully.
    p, how = friedman(np.tile([1.0, 2.0, 3.0], (3, 1)))
    assert p == pytest.approx(6 / 216) and "exact" in how


@pytest.mark.parametrize("seed", range(3))
def test_wilcoxon_is_scipys_exact_test(seed):
    differences = np.random.default_rng(seed).normal(0.3, size=9)
    p, how = wilcoxon(differences.tolist())
    assert p == pytest.approx(stats.wilcoxon(differences, mode="exact").pvalue) and "exact" in how


def test_few_sets_cannot_separate_encoders_and_the_verdict_says_so():
    ranking = rank_encoders(("a", "b", "c"), np.tile([0.9, 0.5, 0.1], (2, 1)))
    assert ranking.encoders == ("a", "b", "c") and ranking.mean_ranks == (1.0, 2.0, 3.0)
    assert "cannot separate" in ranking.verdict and ranking.groups == ((0, 1, 2),)
    assert least_p(4) == 0.125
    many = rank_encoders(("a", "b", "c"), np.tile([0.9, 0.5, 0.1], (20, 1)))
    assert many.groups == () and "cannot" not in many.verdict


def test_undivided_groups_overlap_and_are_the_largest():
    assert undivided([1.0, 1.8, 2.6, 4.0], 1.0) == ((0, 1), (1, 2), (3,))
