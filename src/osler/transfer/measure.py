"""Measure: one number of an encoder, before it becomes a line of results.json, with its interval and chance."""

from dataclasses import dataclass, field

import numpy as np

from osler.schema.result import Interval
from osler.scoring.bootstrap import cluster_bootstrap, mean_bootstrap
from osler.scoring.intervals import Estimate


@dataclass(frozen=True)
class Measure:
    """One number.

    task: below the set or store it is of: `retrieval/image_to_text`. baseline: by name, such as `chance`.
    """

    task: str
    metric: str
    signature: str
    estimate: Estimate
    n: int
    n_clusters: int
    baseline: dict[str, Interval] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def mean_measure(
    task: str,
    metric: str,
    signature: str,
    *,
    values: np.ndarray,
    groups: tuple[str, ...],
    chance: float | None,
    seed: int,
    notes: tuple[str, ...] = (),
) -> Measure:
    """The mean of item scores in 0..1, whole groups drawn for its interval."""
    baseline = {} if chance is None else {"chance": Interval(value=chance)}
    estimate = mean_bootstrap(values.tolist(), groups, seed=seed)
    return Measure(task, metric, signature, estimate, len(values), len(set(groups)), baseline, notes)


def median_measure(
    task: str, metric: str, signature: str, *, values: np.ndarray, groups: tuple[str, ...], chance: float, seed: int
) -> Measure:
    """The median of item values, whole groups drawn for its interval."""
    estimate, _ = cluster_bootstrap(lambda at: float(np.median(values[at])), groups, seed=seed)
    baseline = {"chance": Interval(value=chance)}
    return Measure(task, metric, signature, estimate, len(values), len(set(groups)), baseline)
