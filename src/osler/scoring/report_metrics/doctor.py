"""Which metrics can be measured here, and what the others lack."""

from collections.abc import Mapping
from pathlib import Path

from osler.core.catalog import METRICS
from osler.core.errors import InputError
from osler.scoring.report_metrics.extract import Extractors
from osler.scoring.scorer import load_metric


def metric_rows(metric_weights: Mapping[str, Path]) -> dict[str, str]:
    """Of each metric `ready` (with the weights' hash where it has some) or `unavailable` and why.

    Weights are hashed and compared with their folder's manifest; no model is loaded.
    """
    extractors = Extractors(metric_weights)
    return {name: _state(name, extractors) for name in METRICS.names()}


def _state(name: str, extractors: Extractors) -> str:
    metric = load_metric(name)
    if reason := metric.reason(extractors):
        return f"unavailable: {reason}"
    try:
        weights = ", ".join(f"{need} {extractors.identity(need)}" for need in metric.needs)
    except InputError as error:
        return f"unavailable: {error}"
    return f"ready ({weights})" if weights else "ready"
