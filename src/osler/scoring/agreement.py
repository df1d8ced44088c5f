"""Agreement between raters, people or models, beyond what chance gives.

Cohen's kappa (two raters, doi 10.1177/001316446002000104), with quadratic weights for ordered values (doi
10.1037/h0026256), and Krippendorff's alpha (any number of raters, values missing, doi 10.1080/19312450709336664).
None where it has no value: raters who all used one value and the same leave nothing to agree on.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from osler.core.errors import InputError
from osler.scoring.bootstrap import sums_bootstrap
from osler.scoring.clusters import Clusters
from osler.scoring.intervals import Estimate

Level = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "quadratic"]


class Agreement(NamedTuple):
    """How two or more raters agree on the units that at least two of them rated.

    observed: share of pairs of ratings of one unit that are the same. kappa, kappa_quadratic: of two raters, else None.
    alpha: with its interval by cluster bootstrap. n: units; n_clusters: of them.
    """

    raters: tuple[str, ...]
    n: int
    n_clusters: int
    observed: float | None
    kappa: float | None
    kappa_quadratic: float | None
    alpha: Estimate
    level: Level


def cohen_kappa(first: Sequence[float], second: Sequence[float], *, weights: Weights = "none") -> float | None:
    """Cohen's kappa of two raters' values of the same units; None where chance alone gives full agreement.

    With `quadratic` weights a disagreement counts as its squared distance.
    """
    if len(first) != len(second) or not len(first):
        raise InputError(
            "kappa needs both raters' values of the same units", expected=str(len(first)), got=str(len(second))
        )
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    values = np.unique(np.concatenate([a, b]))
    apart = _distances(values, "interval" if weights == "quadratic" else "nominal", np.ones(len(values)))
    seen = np.zeros((len(values), len(values)))
    np.add.at(seen, (np.searchsorted(values, a), np.searchsorted(values, b)), 1)
    chance = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / len(a)
    expected = float((apart * chance).sum())
    return None if expected == 0 else 1 - float((apart * seen).sum()) / expected


def krippendorff_alpha(units: Sequence[Sequence[float]], *, level: Level = "nominal") -> float | None:
    """Krippendorff's alpha; `units` holds the values that each unit was given, by however many raters.

    Units with fewer than two values have no part. None where fewer than two units are left, or all values are one.
    """
    pairable = [list(unit) for unit in units if len(unit) >= 2]
    values = np.unique([value for unit in pairable for value in unit])
    if len(pairable) < 2:
        return None
    found = float(_alpha(_coincidences(pairable, values).sum(axis=0), values, level))
    return None if math.isnan(found) else found


def _coincidences(units: Sequence[Sequence[float]], values: np.ndarray) -> np.ndarray:
    """What each unit adds to the table of values that meet: [n, V * V]."""
    counts = np.zeros((len(units), len(values)))
    for row, unit in enumerate(units):
        np.add.at(counts[row], np.searchsorted(values, unit), 1)
    met = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(len(values))
    return (met / (counts.sum(axis=1) - 1)[:, None, None]).reshape(len(units), len(values) ** 2)


def _alpha(coincidences: np.ndarray, values: np.ndarray, level: Level) -> np.ndarray:
    """Alpha [...] of tables of values that meet [..., V * V]; nan where only one value is in use."""
    tables = coincidences.reshape(*coincidences.shape[:-1], len(values), len(values))
    totals = tables.sum(axis=-1)
    apart = _distances(values, level, totals)
    pairs = totals[..., :, None] * totals[..., None, :] - totals[..., :, None] * np.eye(len(values))
    above, below = (apart * tables).sum(axis=(-1, -2)), (apart * pairs).sum(axis=(-1, -2))
    expected = below / np.maximum(totals.sum(axis=-1) - 1, 1)
    has_value = expected > 0
    return 1 - np.divide(above, expected, out=np.full(np.shape(expected), math.nan), where=has_value)


def agreement(
    ratings: Mapping[str, Mapping[Hashable, float]],
    clusters: Mapping[Hashable, Hashable],
    *,
    level: Level,
    seed: int = 0,
) -> Agreement:
    """How raters agree.

    Args:
        ratings: by rater, the value of each unit that the rater rated.
        clusters: of every unit.
        level: what a distance between values means.
        seed: of the bootstrap.
    """
    names = tuple(ratings)
    keys = dict.fromkeys(key for own in ratings.values() for key in own)
    shared = [key for key in keys if sum(key in own for own in ratings.values()) >= 2]
    units = [[own[key] for own in ratings.values() if key in own] for key in shared]
    own_clusters = [clusters[key] for key in shared]
    estimate = Estimate(None, None, None, "not measured")
    if len(units) > 1:
        values = np.unique([value for unit in units for value in unit])
        sums = Clusters(own_clusters).sums(_coincidences(units, values))
        estimate, _ = sums_bootstrap(sums, lambda total: _alpha(total, values, level), seed=seed)
    kappa = quadratic = None
    if len(names) == 2 and units:
        first, second = zip(*units, strict=True)
        kappa, quadratic = cohen_kappa(first, second), cohen_kappa(first, second, weights="quadratic")
    return Agreement(names, len(units), len(set(own_clusters)), _observed(units), kappa, quadratic, estimate, level)


def _observed(units: Sequence[Sequence[float]]) -> float | None:
    same = pairs = 0
    for unit in units:
        for place, value in enumerate(unit):
            same += sum(value == other for other in unit[place + 1 :])
            pairs += len(unit) - place - 1
    return same / pairs if pairs else None


def _distances(values: np.ndarray, level: Level, totals: np.ndarray) -> np.ndarray:
    """Squared distances between values: [..., V, V]. `totals` [..., V]: how often each value was given."""
    if level == "nominal":
        return (values[:, None] != values[None, :]).astype(float)
    if level == "interval":
        return np.square(values[:, None] - values[None, :])
    ranks = np.cumsum(totals, axis=-1) - totals / 2  # between two values lie those in between and half of each end's
    return np.square(ranks[..., :, None] - ranks[..., None, :])
