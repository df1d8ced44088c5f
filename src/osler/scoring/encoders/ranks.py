"""Ranks of encoders over sets (Demsar 2006, JMLR 7): Friedman's test, Nemenyi's critical difference, Wilcoxon's test.

Here sets are the sample, and what is asked is whether another set would order the encoders likewise. With few sets the
answer is mostly that one cannot tell, however sure each set by itself is.
"""

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from osler.schema.encoders import Ranking
from osler.scoring.distributions import chi_square_tail, normal_cdf

_MAX_EXACT = 200_000
_MAX_SIGNS = 25
ALPHA = 0.05


def rank_encoders(encoders: Sequence[str], scores: np.ndarray) -> Ranking:
    """The ranking of encoders by scores [sets, encoders], higher being better; ties share their mean rank."""
    ranks = np.stack([mean_ranks(-row) for row in scores])
    means = ranks.mean(axis=0)
    order = np.lexsort((np.asarray(encoders), means))
    num_sets, num = scores.shape
    p, test = friedman(ranks) if num > 1 else (None, "not measured: one encoder")
    difference = critical_difference(num, num_sets) if num > 1 and num_sets > 1 else None
    sorted_means = means[order]
    groups = undivided(sorted_means.tolist(), difference) if difference is not None else (tuple(range(num)),)
    return Ranking(
        encoders=tuple(encoders[place] for place in order),
        mean_ranks=tuple(float(value) for value in sorted_means),
        num_sets=num_sets,
        friedman_p=p,
        friedman_test=test,
        critical_difference=difference,
        groups=tuple(group for group in groups if len(group) > 1),
        verdict=_verdict(num, num_sets, difference, sorted_means),
    )


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 for the least value; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    shared: np.ndarray = (ends - (counts - 1) / 2)[inverse]
    return shared


def friedman(ranks: np.ndarray) -> tuple[float | None, str]:
    """Whether mean ranks [sets, encoders] differ: the exact p where all orders can be tried, else by chi-square."""
    num_sets, num = ranks.shape
    spread = float(((ranks - (num + 1) / 2) ** 2).sum())
    if num_sets < 2 or spread == 0:
        return None, "not measured: one set" if num_sets < 2 else "not measured: all ranks are tied"
    seen = _between(ranks.sum(axis=0), num_sets)
    if math.factorial(num) ** num_sets <= _MAX_EXACT:
        totals = np.zeros((1, num))
        for row in ranks:
            orders = np.asarray(list(permutations(row)))
            totals = (totals[:, None] + orders[None]).reshape(-1, num)
        found = _between(totals, num_sets)
        return float((found >= seen - 1e-9).mean()), f"friedman|exact|{len(found)}"
    # The form that allows for ties.
    statistic = (num - 1) * float(seen) * num_sets / spread
    return chi_square_tail(statistic, num - 1), f"friedman|chi-square({num - 1})"


def critical_difference(num_encoders: int, num_sets: int, *, alpha: float = ALPHA) -> float:
    """Nemenyi's: how far mean ranks must lie apart, q * sqrt(k (k + 1) / (6 N))."""
    q = studentized_range(num_encoders, alpha=alpha) / math.sqrt(2)
    return q * math.sqrt(num_encoders * (num_encoders + 1) / (6 * num_sets))


def studentized_range(num: int, *, alpha: float = ALPHA) -> float:
    """The upper quantile of the range of `num` standard normals (infinite degrees of freedom), by bisection."""
    steps = np.linspace(-8, 8, 1601)
    density = np.exp(-(steps**2) / 2) / math.sqrt(2 * math.pi)
    cdf = np.asarray([normal_cdf(step) for step in steps])

    def beyond(width: float) -> float:
        upper = np.asarray([normal_cdf(step + width) for step in steps])
        inside = num * density * np.clip(upper - cdf, 0, 1) ** (num - 1)
        return 1 - float(np.trapezoid(inside, steps))

    low, high = 0.0, 12.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) > alpha else (low, middle)
    return (low + high) / 2


def undivided(sorted_means: Sequence[float], difference: float) -> tuple[tuple[int, ...], ...]:
    """The largest runs of neighbouring mean ranks whose ends lie less than `difference` apart."""
    runs: list[tuple[int, ...]] = []
    for first in range(len(sorted_means)):
        last = max(
            place for place in range(first, len(sorted_means)) if sorted_means[place] - sorted_means[first] < difference
        )
        run = tuple(range(first, last + 1))
        if not runs or runs[-1][-1] < last:
            runs.append(run)
    return tuple(runs)


def wilcoxon(differences: Sequence[float]) -> tuple[float | None, str]:
    """Two-sided Wilcoxon signed-rank p of differences on sets; zeros are left out. Exact up to 25 sets."""
    kept = np.asarray([value for value in differences if value != 0])
    if not len(kept):
        return None, "not measured: no set differs"
    doubled = np.rint(2 * mean_ranks(np.abs(kept))).astype(int)
    seen = int(doubled[kept > 0].sum())
    total = int(doubled.sum())
    if len(kept) > _MAX_SIGNS:
        mean, variance = total / 4, float((doubled / 2) @ (doubled / 2)) / 4
        z = abs(seen / 2 - mean) / math.sqrt(variance)
        return min(1.0, 2 * normal_cdf(-z)), "wilcoxon|normal"
    ways = np.zeros(total + 1)
    ways[0] = 1
    for rank in doubled:
        ways[rank:] = ways[rank:] + ways[: total + 1 - rank]
    tail = ways[: min(seen, total - seen) + 1].sum() / ways.sum()
    return float(min(1.0, 2 * tail)), f"wilcoxon|exact|{len(kept)} sets"


def least_p(num_sets: int) -> float:
    """The smallest p that Wilcoxon's test can give with so many sets."""
    return float(min(1.0, 2 / 2**num_sets))


def _between(sums: np.ndarray, num_sets: int) -> np.ndarray:
    """The squared deviations of rank sums [..., encoders] from their mean, over the number of sets."""
    return np.asarray(((sums - sums.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1) / num_sets)


def _verdict(num: int, num_sets: int, difference: float | None, sorted_means: np.ndarray) -> str:
    if difference is None:
        return f"{num_sets} set and {num} encoders: there is nothing to rank over sets."
    widest = num - 1
    said = f"Mean ranks over {num_sets} sets must differ by {difference:.2f} to count (Nemenyi, 5 %)."
    if difference > widest:
        return f"{said} No two of {num} encoders can be so far apart: {num_sets} sets cannot separate them."
    if sorted_means[-1] - sorted_means[0] < difference:
        return f"{said} No two encoders are that far apart."
    return said
