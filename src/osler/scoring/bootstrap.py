"""Cluster bootstrap: whole clusters drawn with replacement, for statistics that are no mean of item scores.

A statistic that is a function of sums over items (BLEU of a corpus, macro-F1) is drawn as sums: a draw is one vector of
cluster weights times a matrix of cluster sums. Any other statistic is called once a draw.

percentile  the quantiles of the draws
bca         the same quantiles moved for the draws' bias z0 and the statistic's skewness a (Efron 1987,
            doi 10.1080/01621459.1987.10478410); a comes from leaving out one cluster at a time
"""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.scoring.clusters import Clusters
from osler.scoring.distributions import normal_cdf, normal_quantile
from osler.scoring.intervals import Estimate

Form = Literal["bca", "percentile"]
NUM_RESAMPLES = 1000
_MIN_SHARE = 0.9


def sums_bootstrap(
    sums: np.ndarray,
    value: Callable[[np.ndarray], np.ndarray],
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    form: Form = "bca",
    confidence: float = 0.95,
) -> tuple[Estimate, np.ndarray]:
    """The statistic `value` of summed clusters with its interval, and its finite draws.

    Args:
        sums: [C, K], the sums over each cluster.
        value: from sums [..., K] to values [...]; nan where there is none.
        seed: of the draws; the same seed and C give the same draws, whatever the statistic.
        num_resamples: how often C clusters are drawn.
        form: which interval; `bca` falls back to `percentile` where all draws lie on one side, and says so.
        confidence: of the interval.
    """
    whole = float(value(sums.sum(axis=0)))
    if math.isnan(whole):
        return Estimate(None, None, None, "not measured"), np.empty(0)
    if len(sums) < 2:
        return Estimate(whole, None, None, "none: one cluster"), np.empty(0)
    draws = value(_drawn_sums(sums, seed, num_resamples))
    left = value(sums.sum(axis=0) - sums) if form == "bca" else None
    return _estimate(whole, draws, left, confidence), draws[np.isfinite(draws)]


def cluster_bootstrap(
    statistic: Callable[[np.ndarray], float | None],
    clusters: Sequence[Hashable],
    *,
    seed: int,
    num_resamples: int = NUM_RESAMPLES,
    form: Form = "percentile",
    confidence: float = 0.95,
) -> tuple[Estimate, np.ndarray]:
    """Any statistic with its interval, and its finite draws.

    `statistic` gets item positions (with repeats) and returns the value over them, None where it has none; such draws
    are left out. `bca` calls it once more for each cluster.
    """

    def called(positions: np.ndarray) -> float:
        found = statistic(positions)
        return math.nan if found is None else float(found)

    members = Clusters(clusters).members() if len(clusters) else []
    whole = called(np.arange(len(clusters))) if members else math.nan
    if math.isnan(whole):
        return Estimate(None, None, None, "not measured"), np.empty(0)
    if len(members) < 2:
        return Estimate(whole, None, None, "none: one cluster"), np.empty(0)
    random = generator(seed, "cluster_bootstrap", num_resamples)
    draws = np.asarray(
        [
            called(np.concatenate([members[index] for index in random.integers(len(members), size=len(members))]))
            for _ in range(num_resamples)
        ]
    )
    left = None
    if form == "bca":
        left = np.asarray([called(np.concatenate(members[:n] + members[n + 1 :])) for n in range(len(members))])
    return _estimate(whole, draws, left, confidence), draws[np.isfinite(draws)]


def percentile_bounds(draws: np.ndarray, *, confidence: float = 0.95) -> tuple[float, float]:
    """The quantiles of the draws."""
    low, high = np.quantile(draws, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def bca_bounds(
    draws: np.ndarray, whole: float, left_out: np.ndarray, *, confidence: float = 0.95
) -> tuple[float, float] | None:
    """The bias-corrected and accelerated quantiles of the draws; None where the bias has no finite value.

    Args:
        draws: the statistic of each draw.
        whole: the statistic of all clusters.
        left_out: the statistic without each cluster in turn.
        confidence: of the interval.
    """
    if confidence <= 0 or confidence >= 1:
        raise InputError("no such confidence", expected="between 0 and 1", got=str(confidence))
    below = (float(np.mean(draws < whole)) + float(np.mean(draws <= whole))) / 2
    if not 0 < below < 1:
        return None
    bias = normal_quantile(below)
    pull = left_out.mean() - left_out
    spread = float(np.square(pull).sum())
    skew = float((pull**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    levels = []
    for level in (0.5 - confidence / 2, 0.5 + confidence / 2):
        moved = bias + normal_quantile(level)
        levels.append(normal_cdf(bias + moved / (1 - skew * moved)))
    low, high = np.quantile(draws, levels)
    return float(low), float(high)


def _estimate(whole: float, draws: np.ndarray, left: np.ndarray | None, confidence: float) -> Estimate:
    """The interval by the form asked for; its method names the form used and how many draws had a value."""
    finite = draws[np.isfinite(draws)]
    if len(finite) < _MIN_SHARE * len(draws):
        return Estimate(whole, None, None, f"none: {len(finite)} of {len(draws)} resamples have a value")
    bounds = None
    if left is not None and np.isfinite(left).all():
        bounds = bca_bounds(finite, whole, left, confidence=confidence)
    form = "bca" if bounds else "percentile"
    low, high = bounds or percentile_bounds(finite, confidence=confidence)
    return Estimate(whole, low, high, f"cluster-bootstrap|{form}|{len(finite)}")


def _drawn_sums(sums: np.ndarray, seed: int, num_resamples: int) -> np.ndarray:
    """Sums over drawn clusters: [num_resamples, K]."""
    random = generator(seed, "cluster_bootstrap", num_resamples)
    totals = np.empty((num_resamples, sums.shape[1]))
    columns = np.ascontiguousarray(sums.T)
    for row in range(num_resamples):
        drawn = random.integers(len(sums), size=len(sums), dtype=np.int32)
        totals[row] = columns @ np.bincount(drawn, minlength=len(sums)).astype(float)
    return totals
