"""GREEN: findings that match over those plus clinically significant errors, as counted by a language model.

An analysis that cannot be read is not measured, and how many were not is said beside the score; the authors' code
scores it 0, as it does a report that is all wrong. Needs `metric_weights.green`.
"""

from osler.scoring.report_metrics.forms import form
from osler.scoring.report_metrics.green import green, read_analysis
from osler.scoring.report_metrics.pairs import pair_key
from osler.scoring.scorer import Extracted


def score(given: str, gold: str, extracted: Extracted) -> float | None:
    """GREEN of one report; None where the model's analysis cannot be read."""
    analysis = read_analysis(extracted.value("green", pair_key(given, gold))["analysis"])
    return None if analysis is None else green(analysis)


METRIC = form(
    "green",
    "decoding:greedy|unreadable:not-measured|agg:mean",
    score,
    needs=("green",),
    range=(0.0, 1.0),
    paper="Ostmeier et al. 2024, arXiv 2405.03595",
)
