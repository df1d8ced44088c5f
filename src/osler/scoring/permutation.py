"""Permutation tests at the level of clusters: under the null, which of two systems gave a cluster's answers is a coin.

With at most 20 clusters that differ every assignment is tried, and p is exact. With more, N are drawn, and
p = (r + 1) / (N + 1), where r are those at least as far from 0 as what was seen; so p is never 0.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator

MAX_EXACT = 20
NUM_DRAWS = 9999
_BITS = (np.arange(256)[:, None] >> np.arange(8)[None, :] & 1).astype(float)
_LOW = 14


class Permuted(NamedTuple):
    """A two-sided p, and how it was found."""

    p: float
    method: str


def sign_flip(sums: np.ndarray, *, seed: int, num_draws: int = NUM_DRAWS) -> Permuted:
    """Whether a mean difference is 0: `sums` [C] are differences summed over each cluster, their signs are flipped."""
    column = np.asarray(sums, dtype=float)[:, None]
    scale = float(np.abs(column).sum()) or 1.0
    return swap(column / scale, np.zeros_like(column), lambda total: total[..., 0], seed=seed, num_draws=num_draws)


def swap(
    first: np.ndarray,
    second: np.ndarray,
    value: Callable[[np.ndarray], np.ndarray],
    *,
    seed: int,
    num_draws: int = NUM_DRAWS,
) -> Permuted:
    """Whether two systems differ in a statistic of sums: the two change places in any set of clusters.

    Args:
        first: [C, K], one system's sums over each cluster.
        second: [C, K], the other's.
        value: from sums [..., K] to values [...]; an assignment without a value counts against a difference.
        seed: of the draws.
        num_draws: how many assignments are drawn where there are too many to try.
    """
    if first.shape != second.shape:
        raise InputError("paired sums must be of the same clusters", expected=str(first.shape), got=str(second.shape))
    changes = first - second
    changes = changes[(changes != 0).any(axis=1)]
    if not len(changes):
        return Permuted(1.0, "no cluster differs")
    total_first, total_second = first.sum(axis=0), second.sum(axis=0)
    seen = abs(float(value(total_first)) - float(value(total_second)))
    limit = seen * (1 - 1e-9) - 1e-12
    exact = len(changes) <= MAX_EXACT
    far = tried = 0
    for moved in _all_sums(changes) if exact else _drawn_sums(changes, seed, num_draws):
        found = np.abs(value(total_second + moved) - value(total_first - moved))
        far += int((~(found < limit)).sum())
        tried += len(found)
    if exact:
        return Permuted(far / tried, f"exact|{tried}")
    return Permuted((far + 1) / (tried + 1), f"drawn|{tried}")


def _all_sums(changes: np.ndarray) -> Iterator[np.ndarray]:
    """The sums over every subset of the rows, in blocks [up to 2^14, K]."""
    low, high = _subset_sums(changes[:_LOW]), _subset_sums(changes[_LOW:])
    for row in high:
        yield low + row


def _subset_sums(rows: np.ndarray) -> np.ndarray:
    """The sums over every subset of the rows: [2^rows, K]."""
    sums = np.zeros((1, rows.shape[1]))
    for row in rows:
        sums = np.concatenate([sums, sums + row])
    return sums


def _drawn_sums(changes: np.ndarray, seed: int, num_draws: int) -> Iterator[np.ndarray]:
    """The sums over random subsets of the rows, eight rows at a time: a random byte picks one of their 256 sums."""
    random = generator(seed, "cluster_swap", num_draws)
    totals = np.zeros((num_draws, changes.shape[1]))
    for start in range(0, len(changes), 8):
        rows = changes[start : start + 8]
        table = _BITS[: 2 ** len(rows), : len(rows)] @ rows
        totals += table.take(random.integers(len(table), size=num_draws, dtype=np.uint8), axis=0)
    yield totals
