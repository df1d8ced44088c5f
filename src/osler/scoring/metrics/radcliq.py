"""RadCliQ: the errors a radiologist would find in a report, as a line through four scores. Lower is better.

radcliq/v1  the later fit, in which BLEU-2 has no weight; a perfect report is -1.44, one sharing nothing 2.45 (default)
radcliq/v0  the earlier fit; -0.24 and 5.52
The value itself is reported, not 1/value: that quotient is singular at 0 and negative for very good reports.
Needs `metric_weights.radgraph` (RadGraph 1.0), `metric_weights.bertscore` and `metric_weights.chexbert`.
"""

from osler.scoring.report_metrics.bertscore import Score, rescaled
from osler.scoring.report_metrics.components import components
from osler.scoring.report_metrics.forms import family, form
from osler.scoring.report_metrics.radcliq import Components, Version, inverse_remark, radcliq
from osler.scoring.scorer import Extracted, Metric

_WORST_BERTSCORE = rescaled(Score(-1.0, -1.0, -1.0)).f1
_NOTHING = Components(0.0, 0.0, 0.0, 0.0)


def _version(version: Version) -> Metric:
    def score(given: str, gold: str, extracted: Extracted) -> float:
        return radcliq(components(given, gold, extracted), version)

    ends = [
        radcliq(Components(radgraph, bertscore, semb, bleu2), version)
        for radgraph, bertscore, semb in ((1.0, 1.0, 1.0), (0.0, _WORST_BERTSCORE, -1.0))
        for bleu2 in (0.0, 1.0)
    ]
    return form(
        f"radcliq/{version}",
        "radgraph:entity+relation,case-kept|bertscore:distilroberta-base,layer5,rescaled,no-idf|agg:mean",
        score,
        needs=("radgraph", "bertscore", "chexbert"),
        unparsed=radcliq(_NOTHING, version),
        range=(min(ends), max(ends)),
        better="lower",
        remark=inverse_remark,
        paper="Yu et al. 2023, doi 10.1016/j.patter.2023.100802",
    )


METRIC = family("radcliq", "v1", {"v0": _version("v0"), "v1": _version("v1")})
