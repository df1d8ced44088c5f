"""Preference: which of two answers is better, judged in both orders; win rates, and strengths of several models.

A pair is shown twice with the sides exchanged. A judge that prefers one side whatever stands there prefers nothing:
such a pair counts as a tie, is named `inconsistent` and counted. `both_bad` is a tie, too, and counted apart.

    points    1 for the preferred model, 1/2 each for a tie
    win rate  mean points; "decided" is the same over the pairs that were won by one of the two

Strengths of several models are Bradley and Terry's (doi 10.2307/2334029): P(i beats j) = s_i / (s_i + s_j), ties as
half a win each, by Hunter's iteration (doi 10.1214/aos/1079120141), with the geometric mean of all strengths 1.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from osler.core.errors import InputError
from osler.scoring.bootstrap import mean_bootstrap, sums_bootstrap
from osler.scoring.clusters import Clusters
from osler.scoring.intervals import Estimate
from osler.scoring.permutation import Permuted, sign_flip

Verdict = Literal["left", "right", "tie", "both_bad"]
Outcome = Literal["first", "second", "tie", "both_bad", "inconsistent"]
OUTCOMES: tuple[Outcome, ...] = ("first", "second", "tie", "both_bad", "inconsistent")
POINTS: Mapping[Outcome, float] = {"first": 1.0, "second": 0.0, "tie": 0.5, "both_bad": 0.5, "inconsistent": 0.5}
_TOLERANCE, _MAX_STEPS = 1e-10, 20_000


@dataclass(frozen=True)
class Preference:
    """One judged pair: which of the models `first` and `second` was preferred on an item, and the item's cluster."""

    first: str
    second: str
    outcome: Outcome
    item_id: str
    cluster: Hashable


@dataclass(frozen=True)
class WinRate:
    """Of `first` against `second`.

    rate: mean points with its interval; decided: without ties, of any kind. counts: pairs by outcome.
    p: two-sided, of the hypothesis that either is as good, clusters kept whole.
    """

    first: str
    second: str
    n: int
    n_clusters: int
    counts: Mapping[Outcome, int]
    rate: Estimate
    decided: Estimate
    p: Permuted


def outcome_of(verdict: Verdict, *, first_is: Literal["left", "right"]) -> Outcome:
    """What a verdict on two sides says of two models, the first of which stood on side `first_is`."""
    if verdict in ("tie", "both_bad"):
        return verdict
    return "first" if verdict == first_is else "second"


def combine(shown: Verdict | None, swapped: Verdict | None) -> Outcome | None:
    """The outcome of a pair that was judged twice: with the first model at the left, then at the right.

    The same winner, or the same kind of tie, stands. A tie of one kind and one of the other is a tie; anything else is
    inconsistent. None where one of the two could not be read.
    """
    if shown is None or swapped is None:
        return None
    one, other = outcome_of(shown, first_is="left"), outcome_of(swapped, first_is="right")
    if one == other:
        return one
    return "tie" if {one, other} == {"tie", "both_bad"} else "inconsistent"


def win_rate(pairs: Sequence[Preference], *, seed: int) -> WinRate:
    """The win rate of one pair of models with a cluster bootstrap and an exact or drawn sign-flip test.

    Raises:
        InputError: there is no pair, or they are of several pairs of models.
    """
    models = {(pair.first, pair.second) for pair in pairs}
    if len(models) != 1:
        raise InputError(
            "a win rate is of two models", expected="judged pairs of one pair of models", got=str(len(models))
        )
    first, second = models.pop()
    clusters = Clusters([pair.cluster for pair in pairs])
    points = np.asarray([POINTS[pair.outcome] for pair in pairs])
    decided = [(POINTS[pair.outcome], pair.cluster) for pair in pairs if pair.outcome in ("first", "second")]
    return WinRate(
        first=first,
        second=second,
        n=len(pairs),
        n_clusters=clusters.count,
        counts={name: sum(pair.outcome == name for pair in pairs) for name in OUTCOMES},
        rate=mean_bootstrap(points.tolist(), [pair.cluster for pair in pairs], seed=seed),
        decided=mean_bootstrap([point for point, _ in decided], [cluster for _, cluster in decided], seed=seed),
        p=sign_flip(clusters.sums((2 * points - 1)[:, None])[:, 0], seed=seed),
    )


def wins_table(pairs: Sequence[Preference], models: Sequence[str]) -> np.ndarray:
    """[M, M]: how many points each model (row) has against each other (column); a tie is half a point for both."""
    places = {name: place for place, name in enumerate(models)}
    table = np.zeros((len(models), len(models)))
    for pair in pairs:
        one, other = places[pair.first], places[pair.second]
        table[one, other] += POINTS[pair.outcome]
        table[other, one] += 1 - POINTS[pair.outcome]
    return table


def bradley_terry(wins: np.ndarray) -> np.ndarray:
    """Strengths [..., M] with geometric mean 1, of the points `wins` [..., M, M].

    nan where they have no finite value: some models never lose a point to the others (Ford 1957), or were never
    compared with them.
    """
    found = np.full(wins.shape[:-1], math.nan)
    has_value = _is_connected(wins > 0)
    if has_value.any():
        found[has_value] = _iterated(wins[has_value])
    return found


def _iterated(wins: np.ndarray) -> np.ndarray:
    games, points = wins + wins.swapaxes(-1, -2), wins.sum(axis=-1)
    strengths = np.ones(points.shape)
    for _ in range(_MAX_STEPS):
        sums = strengths[..., :, None] + strengths[..., None, :]
        now = points / (games / sums).sum(axis=-1)
        now /= np.exp(np.log(now).mean(axis=-1, keepdims=True))
        change = float(np.abs(np.log(now / strengths)).max())
        strengths = now
        if change < _TOLERANCE:
            break
    return strengths


def strengths(pairs: Sequence[Preference], models: Sequence[str], *, seed: int) -> dict[str, Estimate]:
    """The logarithm of each model's strength with its interval by cluster bootstrap.

    Draws in which the strengths have no finite value are left out; where more than a tenth are, no interval is given.
    """
    clusters = Clusters([pair.cluster for pair in pairs])
    tables = (
        np.stack([wins_table([pair], models).ravel() for pair in pairs]) if pairs else np.zeros((0, len(models) ** 2))
    )
    sums = clusters.sums(tables)
    size = len(models)

    known: dict[bytes, np.ndarray] = {}

    def logs(total: np.ndarray) -> np.ndarray:
        key = total.tobytes()  # the draws are the same for each model
        if key not in known:
            known[key] = np.log(bradley_terry(total.reshape(*total.shape[:-1], size, size)))
        return known[key]

    def of(place: int) -> Estimate:
        return sums_bootstrap(sums, lambda total: logs(total)[..., place], seed=seed, form="percentile")[0]

    if not pairs:
        return {name: Estimate(None, None, None, "not measured") for name in models}
    return {name: of(place) for place, name in enumerate(models)}


def _is_connected(beats: np.ndarray) -> np.ndarray:
    """Whether every model has, over others, taken a point from every other one: [..., M, M] to [...]."""
    reach = (np.eye(beats.shape[-1], dtype=bool) | beats).astype(int)
    for _ in range(beats.shape[-1]):
        reach = np.minimum(reach @ reach, 1)
    return reach.astype(bool).all(axis=(-1, -2))
