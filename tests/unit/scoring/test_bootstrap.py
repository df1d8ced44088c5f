"""The cluster bootstrap: whole clusters, seeded, BCa as scipy has it, sums and calls agree."""

import json
from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.scoring.bootstrap import bca_bounds, cluster_bootstrap, percentile_bounds, sums_bootstrap
from osler.scoring.clusters import Clusters

V = json.loads((Path(__file__).parents[2] / "golden" / "metric_vectors.json").read_text())["stats"]
SCORES, CLUSTER = np.asarray(V["a"], dtype=float), V["cluster"]


def mean(positions):
    return float(SCORES[positions].mean())


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


def test_it_is_seeded_and_as_wide_as_the_clustered_error():
    first, draws = cluster_bootstrap(mean, CLUSTER, seed=1)
    assert first == cluster_bootstrap(mean, CLUSTER, seed=1)[0] and len(draws) == 1000
    assert first != cluster_bootstrap(mean, CLUSTER, seed=2)[0]
    assert first.method == "cluster-bootstrap|percentile|1000"
    assert first.high - first.low == pytest.approx(2 * 1.96 * V["clustered_se_a"]["CR0_miller"], rel=0.25)


def test_sums_and_calls_agree():
    """The mean as a quotient of sums: the same draws would be the same numbers, other draws nearly so."""
    sums = Clusters(CLUSTER).sums(np.stack([SCORES, np.ones(len(SCORES))], axis=1))
    for form in ("bca", "percentile"):
        called, _ = cluster_bootstrap(mean, CLUSTER, seed=1, num_resamples=2000, form=form)
        summed, _ = sums_bootstrap(sums, ratio, seed=1, num_resamples=2000, form=form)
        assert summed.value == pytest.approx(called.value, abs=1e-12)
        assert (summed.low, summed.high) == pytest.approx((called.low, called.high), abs=0.03)
        assert summed.method == f"cluster-bootstrap|{form}|2000"


@pytest.mark.parametrize("seed", range(4))
def test_bca_equals_scipy_on_the_same_draws(seed):
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(seed)
    data = random.exponential(size=25)
    peer = stats.bootstrap((data,), np.mean, n_resamples=500, method="BCa", rng=random)
    left = np.asarray([np.delete(data, n).mean() for n in range(len(data))])
    own = bca_bounds(peer.bootstrap_distribution, data.mean(), left)
    assert own == pytest.approx(tuple(peer.confidence_interval), abs=1e-9)
    plain = stats.bootstrap((data,), np.mean, n_resamples=0, method="percentile", bootstrap_result=peer)
    assert percentile_bounds(peer.bootstrap_distribution) == pytest.approx(tuple(plain.confidence_interval), abs=1e-9)


def test_without_two_clusters_or_a_value_there_is_no_interval():
    assert cluster_bootstrap(lambda p: 1.0, ["p", "p"], seed=0)[0] == (1.0, None, None, "none: one cluster")
    assert cluster_bootstrap(lambda p: None, ["p", "q"], seed=0)[0] == (None, None, None, "not measured")
    assert cluster_bootstrap(lambda p: 1.0, [], seed=0)[0].value is None
    assert sums_bootstrap(np.ones((1, 2)), ratio, seed=0)[0] == (1.0, None, None, "none: one cluster")
    assert sums_bootstrap(np.full((3, 2), np.nan), ratio, seed=0)[0] == (None, None, None, "not measured")


def test_resamples_without_a_value_are_named_not_hidden():
    found, draws = cluster_bootstrap(lambda p: 1.0 if 0 in p else None, ["p", "q", "r"], seed=0)
    assert found.low is None and found.method == f"none: {len(draws)} of 1000 resamples have a value"


def test_draws_on_one_side_fall_back_to_percentile_and_say_so():
    found, _ = sums_bootstrap(np.ones((5, 2)), lambda s: s[..., 0] * 0 + (s[..., 0] != 5), seed=0)
    assert found.value == 0.0
    one_sided, _ = cluster_bootstrap(lambda p: -float(len(set(p.tolist()))), list("abcdef"), seed=0, form="bca")
    assert one_sided.method.split("|")[1] in ("bca", "percentile")
    assert bca_bounds(np.ones(10), 2.0, np.ones(3)) is None


def test_it_takes_whole_clusters():
    seen = []
    cluster_bootstrap(lambda p: seen.append(tuple(p)) or 0.0, ["p", "q", "p"], seed=0, num_resamples=20)
    assert all(positions.count(0) == positions.count(2) for positions in seen)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="confidence"):
        bca_bounds(np.ones(3), 1.0, np.ones(3), confidence=1.0)
    with pytest.raises(InputError, match="cluster"):
        Clusters(["p"]).sums(np.ones((2, 1)))
