"""Intervals and paired tests that respect clusters: questions about one patient are not independent.

With item scores x_1..x_n, mean m, deviations d_i = x_i - m and C clusters:
    CR0^2 = (1/n^2) * sum over clusters of (sum of d_i in the cluster)^2          (Miller 2024, arXiv 2411.00640)
    CR1^2 = CR0^2 * C / (C - 1)
"""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator

ClusterForm = Literal["CR0", "CR1"]
_SMALL_N = 100


class Estimate(NamedTuple):
    """A value, its interval and the name of the method; None where it cannot be measured."""

    value: float | None
    low: float | None
    high: float | None
    method: str


def interval(
    scores: Sequence[float], clusters: Sequence[Hashable], *, confidence: float = 0.95, bounds: tuple[float, float]
) -> Estimate:
    """The mean of item scores with the default interval.

    Cluster-robust (CR1) with Student's t on C - 1 degrees, cut to `bounds`. Where that says nothing (no variation
    between clusters, or fewer than 100 items that are each a cluster of their own) and scores lie in 0..1, Wilson's
    interval with the number of clusters as its n: a bound that holds even if a cluster's items are one.
    """
    if not scores:
        return Estimate(None, None, None, "not measured")
    value = math.fsum(scores) / len(scores)
    num_clusters = len(set(clusters))
    if num_clusters < 2:
        return Estimate(value, None, None, "none: one cluster")
    se = clustered_se(scores, clusters, form="CR1")
    alone = num_clusters == len(scores) and len(scores) < _SMALL_N
    if (se < 1e-12 or alone) and bounds == (0.0, 1.0):
        low, high = wilson(value * num_clusters, num_clusters, confidence=confidence)
        return Estimate(value, low, high, "wilson|n:clusters")
    half = t_quantile(0.5 + confidence / 2, num_clusters - 1) * se
    return Estimate(value, max(bounds[0], value - half), min(bounds[1], value + half), "clustered|CR1|t(C-1)")


def wilson(hits: float, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion; stays inside 0..1 at 0 and n hits. Raises InputError for n < 1."""
    if n < 1:
        raise InputError("no interval without observations", expected="n >= 1", got=str(n))
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def naive_se(scores: Sequence[float]) -> float:
    """The standard error of a mean of independent items, with n - 1."""
    return float(np.std(np.asarray(scores, dtype=float), ddof=1) / math.sqrt(len(scores)))


def clustered_se(scores: Sequence[float], clusters: Sequence[Hashable], *, form: ClusterForm = "CR1") -> float:
    """The standard error of a mean whose items come in clusters. CR1 needs at least two clusters.

    Raises:
        InputError: lengths differ, or too few clusters.
    """
    if len(scores) != len(clusters) or not scores:
        raise InputError("every score needs its cluster", expected=f"{len(scores)} clusters", got=str(len(clusters)))
    sums = _cluster_sums(np.asarray(scores, dtype=float) - math.fsum(scores) / len(scores), clusters)
    variance = float(np.square(sums).sum()) / len(scores) ** 2
    if form == "CR0":
        return math.sqrt(variance)
    if len(sums) < 2:
        raise InputError("CR1 has no value", expected="at least 2 clusters", got=str(len(sums)))
    return math.sqrt(variance * len(sums) / (len(sums) - 1))


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
    """
    differences = _differences(a, b)
    only_a = sum(d > 0 for d in differences)
    only_b = sum(d < 0 for d in differences)
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / 2**n)


def cluster_bootstrap(
    statistic: Callable[[np.ndarray], float | None],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    num_resamples: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float] | None:
    """Percentile interval of `statistic` under resampling of whole clusters.

    `statistic` gets item positions (with repeats) and returns the value over them, None where it has none; such
    resamples are left out. Returns None with fewer than two clusters or no measurable resample.
    """
    members = _members(clusters)
    if len(members) < 2:
        return None
    random = generator(seed, "cluster_bootstrap", num_resamples)
    values = []
    for _ in range(num_resamples):
        drawn = random.integers(len(members), size=len(members))
        value = statistic(np.concatenate([members[index] for index in drawn]))
        if value is not None:
            values.append(value)
    if not values:
        return None
    low, high = np.quantile(values, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


@cache
def t_quantile(probability: float, degrees: int) -> float:
    """The quantile of Student's t for a probability in (0.5, 1), by bisection of its distribution function."""
    low, high = 0.0, 1.0
    while _t_cdf(high, degrees) < probability:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_cdf(middle, degrees) < probability else (low, middle)
        if high - low < 1e-12 * high:
            break
    return (low + high) / 2


def _t_cdf(t: float, degrees: int) -> float:
    """P(T <= t) for t >= 0, by the finite trigonometric sums (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    theta = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = degrees % 2 == 1
    term = cosine if odd else 1.0
    total = 0.0 if degrees == 1 else term
    for k in range(3 if odd else 2, degrees - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    two_sided = 2 / math.pi * (theta + sine * total) if odd else sine * total
    return 0.5 + two_sided / 2


def _differences(a: Sequence[float], b: Sequence[float]) -> list[float]:
    if len(a) != len(b):
        raise InputError("paired scores must be of the same items", expected=f"{len(a)} scores", got=str(len(b)))
    return [x - y for x, y in zip(a, b, strict=True)]


def _members(clusters: Sequence[Hashable]) -> list[np.ndarray]:
    """The item positions of each cluster, clusters in order of first appearance."""
    positions: dict[Hashable, list[int]] = {}
    for position, cluster in enumerate(clusters):
        positions.setdefault(cluster, []).append(position)
    return [np.asarray(found) for found in positions.values()]


def _cluster_sums(values: np.ndarray, clusters: Sequence[Hashable]) -> np.ndarray:
    return np.asarray([math.fsum(values[found]) for found in _members(clusters)])
