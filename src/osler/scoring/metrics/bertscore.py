"""BERTScore F1 with distilroberta-base, layer 5, in two named forms.

bertscore/rescaled  moved by the published baseline, so that unrelated sentences score about 0, some less (default)
bertscore/raw       as computed, between -1 and 1
Spaces are collapsed and no word weighs more than another (no idf: that makes a score depend on the other reports).
Needs `metric_weights.bertscore`.
"""

from osler.scoring.report_metrics.bertscore import Score, rescaled
from osler.scoring.report_metrics.forms import family, form
from osler.scoring.report_metrics.pairs import pair_key
from osler.scoring.scorer import Extracted, Metric

_PAPER = "Zhang et al. 2020, arXiv 1904.09675"


def _raw(given: str, gold: str, extracted: Extracted) -> Score:
    return Score(*extracted.value("bertscore", pair_key(given, gold)))


def rescaled_f1(given: str, gold: str, extracted: Extracted) -> float:
    """F1 moved by its baseline; 0 for a report without words."""
    return 0.0 if not given.strip() else rescaled(_raw(given, gold, extracted)).f1


def raw_f1(given: str, gold: str, extracted: Extracted) -> float:
    """F1 as computed."""
    return _raw(given, gold, extracted).f1


_WORST = Score(-1.0, -1.0, -1.0)
_FORMS: dict[str, Metric] = {
    "rescaled": form(
        "bertscore/rescaled",
        "model:distilroberta-base|layer:5|idf:no|rescaled:yes|agg:mean",
        rescaled_f1,
        needs=("bertscore",),
        range=(rescaled(_WORST).f1, 1.0),
        paper=_PAPER,
    ),
    "raw": form(
        "bertscore/raw",
        "model:distilroberta-base|layer:5|idf:no|rescaled:no|agg:mean",
        raw_f1,
        needs=("bertscore",),
        range=(-1.0, 1.0),
        paper=_PAPER,
    ),
}
METRIC = family("bertscore", "rescaled", _FORMS)
