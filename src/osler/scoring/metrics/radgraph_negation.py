"""RadGraph negation: of the observations that report and reference both name, how many are there, or not, in both.

A report that names little is not punished for what it leaves out: read it beside radgraph_f1. Needs
`metric_weights.radgraph`.
"""

from osler.scoring.report_metrics.forms import form
from osler.scoring.report_metrics.radgraph_negation import negation_agreement
from osler.scoring.scorer import Extracted


def _score(given: str, gold: str, extracted: Extracted) -> float | None:
    return negation_agreement(extracted.value("radgraph", given), extracted.value("radgraph", gold))


METRIC = form(
    "radgraph_negation",
    "observations-in-both|present-or-absent|case:lower|none-shared:0|agg:mean",
    _score,
    needs=("radgraph",),
    range=(0.0, 1.0),
    paper="Jain et al. 2021, arXiv 2106.14463 (labels of observations)",
)
