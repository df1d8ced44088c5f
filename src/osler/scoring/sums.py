"""Sums: what each answer adds to a corpus metric, as a matrix, so that resampling never reads an answer twice."""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from osler.core.errors import InputError
from osler.scoring.scorer import Metric, Pair

Statistic = Callable[[np.ndarray], np.ndarray]
"""From sums [..., K] to values [...]; nan where there is none."""


class Summed(NamedTuple):
    """`table` [n, K] holds what each of n answers adds; `value` turns summed rows into the metric's value."""

    table: np.ndarray
    value: Statistic


def tabulate(metric: Metric, pairs: Sequence[Pair]) -> Summed:
    """The sums of a metric that states them. Systems that are compared must be tabulated together.

    Raises:
        InputError: the metric states no sums.
    """
    if metric.sums is None or metric.of_sums is None:
        raise InputError(f"metric {metric.name!r} states no sums")
    of_sums, rows = metric.of_sums, [metric.sums(*pair) for pair in pairs]
    places: dict[Hashable, int] = {}
    for row in rows:
        for name in row:
            places.setdefault(name, len(places))
    table = np.zeros((len(rows), len(places)))
    for place, row in enumerate(rows):
        for name, number in row.items():
            table[place, places[name]] = number
    names = list(places)

    def value(sums: np.ndarray) -> np.ndarray:
        flat = np.reshape(sums, (-1, len(names)))
        if len(flat) < 2:
            found, inverse = flat, np.zeros(len(flat), dtype=np.intp)
        else:
            found, inverse = np.unique(flat, axis=0, return_inverse=True)
        values = np.asarray([of_sums(dict(zip(names, row, strict=True))) for row in found.tolist()], dtype=float)
        return values[inverse.ravel()].reshape(np.shape(sums)[:-1])

    return Summed(table, value)
