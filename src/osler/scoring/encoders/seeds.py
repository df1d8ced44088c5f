"""Draws over groups and seeds: how a mean over seeds would change with other test groups and other seeds.

A draw takes as many groups as there are, with replacement, the same ones under every seed, and as many seeds. Groups of
all seeds' test parts are drawn together: where every seed cuts a test part of its own, a group may be in some of them.
Encoders on the same items share the draws, so that a difference of two is drawn as a difference.

Axes: R draws, S seeds, N items of a seed, G groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.rng import generator
from osler.scoring.bootstrap import percentile_bounds
from osler.scoring.encoders.metrics import Weighted
from osler.scoring.intervals import Estimate

_MIN_SHARE = 0.9
_BLOCK = 1 << 23


@dataclass(frozen=True, eq=False)
class Drawn:
    """A statistic. value: its mean over seeds, nan where it is not measured; per_seed [S]; draws [R]."""

    value: float
    per_seed: np.ndarray
    draws: np.ndarray

    def minus(self, other: "Drawn") -> "Drawn":
        """The difference, draw by draw. Both must be of the same `SeedDraws`."""
        return Drawn(self.value - other.value, self.per_seed - other.per_seed, self.draws - other.draws)

    def estimate(self, *, confidence: float) -> Estimate:
        """The value with the quantiles of its draws."""
        if np.isnan(self.value):
            return Estimate(None, None, None, "not measured")
        finite = self.draws[np.isfinite(self.draws)]
        if len(finite) < _MIN_SHARE * len(self.draws) or not len(finite):
            return Estimate(self.value, None, None, f"none: {len(finite)} of {len(self.draws)} draws have a value")
        low, high = percentile_bounds(finite, confidence=confidence)
        return Estimate(self.value, low, high, f"groups-and-seeds-bootstrap|percentile|{len(finite)}")

    def two_sided_p(self) -> float | None:
        """Twice the smaller share of draws on either side of 0, counting what was seen as one more draw."""
        finite = self.draws[np.isfinite(self.draws)]
        if np.isnan(self.value) or len(finite) < _MIN_SHARE * len(self.draws):
            return None
        below, above = int((finite <= 0).sum()), int((finite >= 0).sum())
        return min(1.0, 2 * (min(below, above) + 1) / (len(finite) + 1))


class SeedDraws:
    """The draws for one set.

    Args:
        groups: of each seed's items.
        name: of the set; the same name, groups and seed give the same draws.
        seed: of the draws.
        num_resamples: R.
    """

    def __init__(self, groups: Sequence[Sequence[str]], *, name: str, seed: int, num_resamples: int) -> None:
        numbers: dict[str, int] = {}
        self.codes = [
            np.fromiter((numbers.setdefault(group, len(numbers)) for group in each), np.intp, len(each))
            for each in groups
        ]
        self.num_groups = len(numbers)
        self.num_resamples = num_resamples
        self._random = (seed, "groups_and_seeds", name, self.num_groups, num_resamples)

    def draw(self, metrics: Sequence[Weighted]) -> Drawn:
        """The mean over seeds of a metric of each seed's items, with its draws."""
        per_seed = np.asarray(
            [float(metric(np.ones((1, len(codes))))[0]) for metric, codes in zip(metrics, self.codes, strict=True)]
        )
        random = generator(*self._random)
        num_seeds = len(self.codes)
        rows = max(1, _BLOCK // max(1, self.num_groups))
        draws: list[np.ndarray] = []
        for start in range(0, self.num_resamples, rows):
            size = min(rows, self.num_resamples - start)
            weights_RG = random.multinomial(self.num_groups, np.full(self.num_groups, 1 / self.num_groups), size=size)
            seeds_RS = random.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), size=size)
            found = [metric(weights_RG[:, codes]) for metric, codes in zip(metrics, self.codes, strict=True)]
            values_RS = np.stack(found, axis=1)
            draws.append(np.where(seeds_RS > 0, seeds_RS * values_RS, 0.0).sum(axis=1) / num_seeds)
        return Drawn(float(per_seed.mean()), per_seed, np.concatenate(draws))


def mean_of(drawn: Sequence[Drawn]) -> Drawn:
    """The plain mean of statistics on different sets, whose draws are independent."""
    return Drawn(
        float(np.mean([each.value for each in drawn])),
        np.mean([each.per_seed for each in drawn], axis=0),
        np.mean([each.draws for each in drawn], axis=0),
    )
