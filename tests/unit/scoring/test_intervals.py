"""Intervals against published vectors, statsmodels and scipy; coverage in simulation beside the naive interval's."""

import json
from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.scoring import intervals
from osler.scoring.distributions import t_quantile

V = json.loads((Path(__file__).parents[2] / "golden" / "metric_vectors.json").read_text())["stats"]
A, CLUSTER = V["a"], V["cluster"]
UNIT = (0.0, 1.0)


def test_published_vector():
    near = pytest.approx
    assert intervals.wilson(sum(A), len(A)) == near(V["wilson95_a"], abs=1e-12)
    assert intervals.naive_se(A) == near(V["clustered_se_a"]["naive"], abs=1e-12)
    assert intervals.clustered_se(A, CLUSTER, form="CR0") == near(V["clustered_se_a"]["CR0_miller"], abs=1e-12)
    assert intervals.clustered_se(A, CLUSTER, form="CR1") == near(V["clustered_se_a"]["CR1_inspect"], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_wilson_and_clustered_se_equal_statsmodels(seed):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    ols = pytest.importorskip("statsmodels.regression.linear_model").OLS
    random = np.random.default_rng(seed)
    n = int(random.integers(5, 400))
    hits = int(random.integers(0, n + 1))
    assert intervals.wilson(hits, n) == pytest.approx(proportion.proportion_confint(hits, n, method="wilson"), abs=1e-9)
    scores, clusters = random.normal(size=n), np.sort(random.integers(0, max(2, n // 3), size=n))
    fit = ols(scores, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    assert intervals.clustered_se(scores, clusters) == pytest.approx(fit.bse[0], abs=1e-9)
    assert intervals.naive_se(scores) == pytest.approx(ols(scores, np.ones(n)).fit().bse[0], abs=1e-9)


def test_default_interval_is_clustered():
    value, low, high, method = intervals.interval(A, CLUSTER, bounds=UNIT)
    half = t_quantile(0.975, 7) * V["clustered_se_a"]["CR1_inspect"]
    assert (value, low, high) == pytest.approx((0.7, 0.7 - half, 0.7 + half))
    assert method == "clustered|CR1|t(C-1)"


def test_interval_of_a_perfect_score_is_wilson_over_clusters():
    value, low, high, method = intervals.interval([1.0] * 40, [n // 4 for n in range(40)], bounds=UNIT)
    assert (value, low, high) == (1.0, *intervals.wilson(10, 10))
    assert low < 0.8 and method == "wilson|n:clusters"


def test_few_items_alone_in_their_clusters_get_wilson():
    assert intervals.interval(A, list(range(20)), bounds=UNIT)[1:3] == pytest.approx(V["wilson95_a"])


def test_interval_without_items_or_with_one_cluster_is_not_measured():
    assert intervals.interval([], [], bounds=UNIT)[:3] == (None, None, None)
    assert intervals.interval([1.0, 0.0], ["p", "p"], bounds=UNIT) == (0.5, None, None, "none: one cluster")


def test_interval_stays_within_the_range_of_the_metric():
    scores = [1.0] * 29 + [0.0]
    _, _, high, _ = intervals.interval(scores, [n // 2 for n in range(30)], bounds=UNIT)
    assert high == 1.0


def test_the_order_of_items_does_not_matter():
    order = np.random.default_rng(3).permutation(len(A))
    moved = intervals.interval([A[n] for n in order], [CLUSTER[n] for n in order], bounds=UNIT)
    assert moved[:3] == pytest.approx(intervals.interval(A, CLUSTER, bounds=UNIT)[:3], abs=1e-12)


def test_clustered_intervals_cover_and_naive_ones_do_not():
    """benchmarks/score_bootstrap.py holds the run of 2,000."""
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(60), 10)
    covered, naive = 0, 0
    for _ in range(200):
        skill = random.beta(1.0, 0.6, size=60)
        scores = (random.random(600) < skill[clusters]).astype(float)
        found = intervals.interval(scores, clusters, bounds=UNIT)
        covered += found.low <= 1 / 1.6 <= found.high
        naive += abs(scores.mean() - 1 / 1.6) <= 1.96 * intervals.naive_se(scores)
    assert covered / 200 > 0.9 > 0.8 > naive / 200


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="cluster"):
        intervals.clustered_se([1, 0], ["p"])
    with pytest.raises(InputError, match="at least 2 clusters"):
        intervals.clustered_se([1, 0], ["p", "p"])
    with pytest.raises(InputError, match="n >= 1"):
        intervals.wilson(0, 0)
