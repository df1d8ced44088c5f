"""RadGraph F1: entities and relations shared by two reports, at three named levels of strictness.

radgraph_f1/simple    words and label of each entity
radgraph_f1/partial   and whether it has a relation; what most papers call RadGraph-F1 (default)
radgraph_f1/complete  and each relation with its target
Needs `metric_weights.radgraph`. Which RadGraph it is (1.0, XL, ...) stands in the signature by the weights' hash.
"""

from osler.scoring.report_metrics.forms import family, form
from osler.scoring.report_metrics.radgraph import Level, radgraph_f1
from osler.scoring.scorer import Extracted, Metric


def _level(level: Level) -> Metric:
    def score(given: str, gold: str, extracted: Extracted) -> float:
        if not given.strip() or not gold.strip():
            return 0.0
        return radgraph_f1(extracted.value("radgraph", given), extracted.value("radgraph", gold), level)

    return form(
        f"radgraph_f1/{level}",
        "case:lower|set|no-entity:0|agg:mean",
        score,
        needs=("radgraph",),
        range=(0.0, 1.0),
        paper="Jain et al. 2021, arXiv 2106.14463; Delbrouck et al. 2022, arXiv 2210.12186 (levels)",
    )


METRIC = family(
    "radgraph_f1",
    "partial",
    {"simple": _level("simple"), "partial": _level("partial"), "complete": _level("complete")},
)
