"""Intervals that respect clusters: questions about one patient are not independent.

With item scores x_1..x_n, mean m, deviations d_i = x_i - m and C clusters:
    CR0^2 = (1/n^2) * sum over clusters of (sum of d_i in the cluster)^2          (Miller 2024, arXiv 2411.00640)
    CR1^2 = CR0^2 * C / (C - 1)
"""

import math
from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from osler.core.errors import InputError
from osler.scoring.clusters import Clusters
from osler.scoring.distributions import normal_quantile, t_quantile

ClusterForm = Literal["CR0", "CR1"]
NO_VARIATION = 1e-12
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
    if not len(scores):
        return Estimate(None, None, None, "not measured")
    value = math.fsum(scores) / len(scores)
    grouped = Clusters(clusters)
    if grouped.count < 2:
        return Estimate(value, None, None, "none: one cluster")
    se = _clustered_se(np.asarray(scores, dtype=float), grouped, "CR1")
    alone = grouped.all_alone and len(scores) < _SMALL_N
    if (se < NO_VARIATION or alone) and bounds == (0.0, 1.0):
        low, high = wilson(value * grouped.count, grouped.count, confidence=confidence)
        return Estimate(value, low, high, "wilson|n:clusters")
    half = t_quantile(0.5 + confidence / 2, grouped.count - 1) * se
    return Estimate(value, max(bounds[0], value - half), min(bounds[1], value + half), "clustered|CR1|t(C-1)")


def wilson(hits: float, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion; stays inside 0..1 at 0 and n hits. Raises InputError for n < 1."""
    if n < 1:
        raise InputError("no interval without observations", expected="n >= 1", got=str(n))
    z = normal_quantile(0.5 + confidence / 2)
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
    if len(scores) != len(clusters) or not len(scores):
        raise InputError("every score needs its cluster", expected=f"{len(scores)} clusters", got=str(len(clusters)))
    return _clustered_se(np.asarray(scores, dtype=float), Clusters(clusters), form)


def _clustered_se(scores: np.ndarray, clusters: Clusters, form: ClusterForm) -> float:
    sums = clusters.sums((scores - scores.mean())[:, None])
    variance = float(np.square(sums).sum()) / len(scores) ** 2
    if form == "CR0":
        return math.sqrt(variance)
    if clusters.count < 2:
        raise InputError("CR1 has no value", expected="at least 2 clusters", got=str(clusters.count))
    return math.sqrt(variance * clusters.count / (clusters.count - 1))
