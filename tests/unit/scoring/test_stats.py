"""Intervals and tests against published vectors and against scipy."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.scoring import stats

V = json.loads((Path(__file__).parents[2] / "golden" / "metric_vectors.json").read_text())["stats"]
A, B, CLUSTER = V["a"], V["b"], V["cluster"]
UNIT = (0.0, 1.0)


def test_published_vector():
    near = pytest.approx
    assert stats.wilson(sum(A), len(A)) == near(V["wilson95_a"], abs=1e-12)
    assert stats.naive_se(A) == near(V["clustered_se_a"]["naive"], abs=1e-12)
    assert stats.clustered_se(A, CLUSTER, form="CR0") == near(V["clustered_se_a"]["CR0_miller"], abs=1e-12)
    assert stats.clustered_se(A, CLUSTER, form="CR1") == near(V["clustered_se_a"]["CR1_inspect"], abs=1e-12)
    assert stats.paired_se(A, B) == near(V["se_paired"], abs=1e-12)
    assert stats.paired_clustered_se(A, B, CLUSTER, form="CR0") == near(V["clustered_se_diff"]["CR0"], abs=1e-12)
    assert stats.paired_clustered_se(A, B, CLUSTER) == near(V["clustered_se_diff"]["CR1"], abs=1e-12)
    assert math.hypot(stats.naive_se(A), stats.naive_se(B)) == near(V["se_unpaired"], abs=1e-12)
    assert stats.mcnemar_exact(A, B) == near(V["mcnemar_exact_p"], abs=1e-12)


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 30, 299])
@pytest.mark.parametrize("probability", [0.9, 0.975, 0.995])
def test_t_quantile_equals_scipy(degrees, probability):
    distribution = pytest.importorskip("scipy.stats").t
    assert stats.t_quantile(probability, degrees) == pytest.approx(distribution.ppf(probability, degrees), rel=1e-9)


def test_mcnemar_without_disagreement_is_one():
    assert stats.mcnemar_exact(A, A) == 1.0


def test_default_interval_is_clustered():
    value, low, high, method = stats.interval(A, CLUSTER, bounds=UNIT)
    half = stats.t_quantile(0.975, 7) * V["clustered_se_a"]["CR1_inspect"]
    assert (value, low, high) == pytest.approx((0.7, 0.7 - half, 0.7 + half))
    assert method == "clustered|CR1|t(C-1)"


def test_interval_of_a_perfect_score_is_wilson_over_clusters():
    value, low, high, method = stats.interval([1.0] * 40, [n // 4 for n in range(40)], bounds=UNIT)
    assert (value, low, high) == (1.0, *stats.wilson(10, 10))
    assert low < 0.8 and method == "wilson|n:clusters"


def test_few_items_alone_in_their_clusters_get_wilson():
    assert stats.interval(A, list(range(20)), bounds=UNIT)[1:3] == pytest.approx(V["wilson95_a"])


def test_interval_without_items_or_with_one_cluster_is_not_measured():
    assert stats.interval([], [], bounds=UNIT)[:3] == (None, None, None)
    assert stats.interval([1.0, 0.0], ["p", "p"], bounds=UNIT) == (0.5, None, None, "none: one cluster")


def test_interval_stays_within_the_range_of_the_metric():
    scores = [1.0] * 29 + [0.0]
    _, _, high, _ = stats.interval(scores, [n // 2 for n in range(30)], bounds=UNIT)
    assert high == 1.0


def test_bootstrap_is_seeded_and_resamples_clusters():
    scores = np.asarray(A, dtype=float)

    def mean(positions):
        return float(scores[positions].mean())

    first = stats.cluster_bootstrap(mean, CLUSTER, seed=1)
    assert first == stats.cluster_bootstrap(mean, CLUSTER, seed=1)
    assert first != stats.cluster_bootstrap(mean, CLUSTER, seed=2)
    width = first[1] - first[0]
    assert width == pytest.approx(2 * 1.96 * V["clustered_se_a"]["CR0_miller"], rel=0.25)


def test_bootstrap_needs_two_clusters_and_a_measurable_resample():
    assert stats.cluster_bootstrap(lambda p: 1.0, ["p", "p"], seed=0) is None
    assert stats.cluster_bootstrap(lambda p: None, ["p", "q"], seed=0) is None


def test_bootstrap_takes_whole_clusters():
    seen = []
    stats.cluster_bootstrap(lambda p: seen.append(tuple(p)) or 0.0, ["p", "p", "q"], seed=0, num_resamples=20)
    assert all(positions.count(0) == positions.count(1) for positions in seen)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="same items"):
        stats.mcnemar_exact([1], [1, 0])
    with pytest.raises(InputError, match="cluster"):
        stats.clustered_se([1, 0], ["p"])
    with pytest.raises(InputError, match="at least 2 clusters"):
        stats.clustered_se([1, 0], ["p", "p"])
    with pytest.raises(InputError, match="n >= 1"):
        stats.wilson(0, 0)
