"""Two systems on the same items: the difference, its interval, the test that fits, and what could have been seen.

items each a cluster of their own, scores 0 or 1   exact McNemar
items in clusters, or scores in between             sign flips of the clusters' summed differences
a statistic that is no mean of item scores          clusters change places between the two systems
"""

import math
import sys
from collections.abc import Hashable, Sequence

import numpy as np

from osler.core.errors import InputError
from osler.schema.result import Difference
from osler.scoring.bootstrap import cluster_bootstrap, sums_bootstrap
from osler.scoring.clusters import Clusters
from osler.scoring.distributions import normal_quantile, t_quantile
from osler.scoring.intervals import NO_VARIATION, ClusterForm, clustered_se, naive_se, wilson
from osler.scoring.permutation import Permuted, sign_flip, swap
from osler.scoring.scorer import Metric, Pair
from osler.scoring.sums import Statistic, tabulate

SLOW_RESAMPLES = 300
POWER = 0.8


def compare_answers(
    metric: Metric, first: Sequence[Pair], second: Sequence[Pair], *, clusters: Sequence[Hashable], seed: int
) -> Difference:
    """`metric` of the first system minus the second's. Both answer the same items, in one order, all measurable."""
    if metric.corpus is None and metric.of_sums is None:
        scores = [[metric.score(*pair) or 0.0 for pair in pairs] for pairs in (first, second)]
        return compare_scores(scores[0], scores[1], clusters, bounds=metric.range, seed=seed)
    if metric.of_sums is None:
        return _compare_called(metric, first, second, clusters, seed)
    if len(first) != len(second):
        raise InputError("paired scores must be of the same items", expected=str(len(first)), got=str(len(second)))
    table, value = tabulate(metric, [*first, *second])
    return compare_sums(table[: len(first)], table[len(first) :], clusters, value=value, seed=seed)


def compare_scores(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    bounds: tuple[float, float],
    seed: int = 0,
) -> Difference:
    """The mean of the first system's item scores minus the second's; `bounds` are the metric's range."""
    differences = np.asarray(_differences(first, second))
    if not len(differences):
        return Difference(value=None, ci_method="not measured", n=0, n_clusters=0, test="not measured")
    grouped = Clusters(clusters)
    sums = grouped.sums(differences[:, None])[:, 0]
    value = math.fsum(differences) / len(differences)
    counts = {"value": value, "n": len(differences), "n_clusters": grouped.count}
    if grouped.count < 2:
        return Difference(**counts, ci_method="none: one cluster", test="none: one cluster")
    se = clustered_se(differences.tolist(), clusters)
    span = bounds[1] - bounds[0]
    low, high, method = _interval(value, se, grouped.count, span)
    test, p, notes = _test(first, second, grouped, sums, seed)
    return Difference(
        **counts, ci_low=low, ci_high=high, ci_method=method, test=test, p=p, mde=minimum_detectable(se), notes=notes
    )


def compare_sums(
    first: np.ndarray, second: np.ndarray, clusters: Sequence[Hashable], *, value: Statistic, seed: int = 0
) -> Difference:
    """A statistic of sums over items, the first system's minus the second's.

    Args:
        first: [n, K], what the first system's items add to the sums.
        second: [n, K], the second's on the same items.
        clusters: of the items.
        value: from sums [..., K] to values [...]; nan where there is none.
        seed: of the bootstrap and of the permutations.
    """
    grouped = Clusters(clusters)
    a, b = grouped.sums(first), grouped.sums(second)
    num_columns = a.shape[1]
    estimate, draws = sums_bootstrap(
        np.concatenate([a, b], axis=1),
        lambda sums: value(sums[..., :num_columns]) - value(sums[..., num_columns:]),
        seed=seed,
    )
    counts = {"value": estimate.value, "n": len(first), "n_clusters": grouped.count}
    if estimate.value is None or grouped.count < 2:
        return Difference(**counts, ci_method=estimate.method, test=estimate.method)
    permuted = swap(a, b, value, seed=seed)
    return Difference(
        **counts,
        ci_low=estimate.low,
        ci_high=estimate.high,
        ci_method=estimate.method,
        test=_named("cluster-swap", permuted),
        p=permuted.p,
        mde=minimum_detectable(_spread(draws)),
    )


def paired_se(a: Sequence[float], b: Sequence[float]) -> float:
    """The standard error of the mean difference of two systems on the same items, items independent."""
    return naive_se(_differences(a, b))


def paired_clustered_se(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable], *, form: ClusterForm = "CR1"
) -> float:
    """The standard error of the mean difference of two systems on the same clustered items."""
    return clustered_se(_differences(a, b), clusters, form=form)


def mcnemar_exact(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided exact McNemar p of two systems right (1) or wrong (0) on the same items.

    The discordant items are fair coins under the null: p = 2 * P(Binomial(n10 + n01, 1/2) <= min), at most 1.
    A p too small for a float is given as the smallest one, never as 0.
    Items must be independent: of items in clusters it finds differences where there are none.
    """
    differences = _differences(a, b)
    only_a = sum(d > 0 for d in differences)
    only_b = sum(d < 0 for d in differences)
    n = only_a + only_b
    few = min(only_a, only_b)
    ways, tail = 1, 1
    for k in range(few):
        ways = ways * (n - k) // (k + 1)
        tail += ways
    return min(1.0, max(2 * tail / 2**n, sys.float_info.min))


def minimum_detectable(se: float | None, *, power: float = POWER, alpha: float = 0.05) -> float | None:
    """The smallest true difference that such a comparison finds with probability `power`: (z + z') * se.

    z and z' are the normal quantiles of 1 - alpha / 2 and of the power. None where no spread was measured.
    """
    if se is None or se < NO_VARIATION:
        return None
    return (normal_quantile(1 - alpha / 2) + normal_quantile(power)) * se


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p of a family (Holm 1979): below 0.05, a false claim anywhere has probability at most 0.05.

    A comparison without a p (None) is no member of the family.
    """
    order = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    adjusted: list[float | None] = [None] * len(ps)
    highest = 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        adjusted[place] = highest
    return adjusted


def _test(
    first: Sequence[float], second: Sequence[float], clusters: Clusters, sums: np.ndarray, seed: int
) -> tuple[str, float, tuple[str, ...]]:
    binary = set(first) | set(second) <= {0.0, 1.0}
    if binary and clusters.all_alone:
        return "mcnemar|exact", mcnemar_exact(first, second), ()
    permuted = sign_flip(sums, seed=seed)
    notes: tuple[str, ...] = ()
    if binary:
        notes = (
            f"McNemar's test is not valid here: up to {clusters.largest} items share a cluster; clusters were tested",
        )
    return _named("cluster-sign-flip", permuted), permuted.p, notes


def _named(test: str, permuted: Permuted) -> str:
    return f"{test}|{permuted.method}"


def _interval(value: float, se: float, num_clusters: int, span: float) -> tuple[float | None, float | None, str]:
    """CR1 with t; where all clusters differ alike, what an unseen kind of cluster could move (Wilson, 0 of C)."""
    if se >= NO_VARIATION:
        half = t_quantile(0.975, num_clusters - 1) * se
        return max(-span, value - half), min(span, value + half), "paired-clustered|CR1|t(C-1)"
    if not math.isfinite(span):
        return None, None, "none: no variation"
    unseen = wilson(0, num_clusters)[1]
    return value - unseen * (value + span), value + unseen * (span - value), "wilson|0-of-C-clusters-differ"


def _compare_called(
    metric: Metric, first: Sequence[Pair], second: Sequence[Pair], clusters: Sequence[Hashable], seed: int
) -> Difference:
    """A corpus metric that states no sums: an interval from calling it once a draw; no permutations, so no p."""

    def difference(positions: np.ndarray) -> float | None:
        a, b = metric.aggregate([first[p] for p in positions]), metric.aggregate([second[p] for p in positions])
        return None if a is None or b is None else a - b

    estimate, draws = cluster_bootstrap(difference, clusters, seed=seed, num_resamples=SLOW_RESAMPLES)
    return Difference(
        value=estimate.value,
        ci_low=estimate.low,
        ci_high=estimate.high,
        ci_method=estimate.method,
        n=len(first),
        n_clusters=len(set(clusters)),
        test="none: the metric states no sums",
        mde=minimum_detectable(_spread(draws)),
    )


def _spread(draws: np.ndarray) -> float | None:
    return float(draws.std(ddof=1)) if len(draws) > 1 else None


def _differences(a: Sequence[float], b: Sequence[float]) -> list[float]:
    if len(a) != len(b):
        raise InputError("paired scores must be of the same items", expected=f"{len(a)} scores", got=str(len(b)))
    return [x - y for x, y in zip(a, b, strict=True)]
