"""CheXbert F1: findings that a labeller reads in two reports, over 5 or 14 of them, micro or macro.

chexbert_f1/micro14 (default), macro14, micro5, macro5   "uncertain" counts as present
chexbert_f1/micro14-zeros, macro14-zeros, ...            "uncertain" counts as absent
A finding that neither side ever has counts 0 in a macro mean, so that a perfect macro over few reports is below 1.
An unparsed answer has no finding. Needs `metric_weights.chexbert`.
"""

from functools import partial
from typing import Literal

from osler.scoring.classes import by_class, macro_f1, micro_f1
from osler.scoring.report_metrics import chexbert
from osler.scoring.report_metrics.chexbert import BLANK, FINDINGS, TOP5, Uncertain
from osler.scoring.report_metrics.forms import family, form
from osler.scoring.scorer import Extracted, Metric, Sums

Average = Literal["micro", "macro"]
_NOTHING = (BLANK,) * len(FINDINGS)


def of_sums(sums: Sums, *, average: Average) -> float:
    """F1 from the findings' counts."""
    counts = list(by_class(sums).values())
    return micro_f1(counts) if average == "micro" else macro_f1(counts)


def _labels(text: str | None, extracted: Extracted) -> tuple[int, ...]:
    return tuple(extracted.value("chexbert", text)["labels"]) if text and text.strip() else _NOTHING


def _form(average: Average, findings: tuple[str, ...], uncertain: Uncertain) -> Metric:
    def score(given: str, gold: str, extracted: Extracted) -> float:
        return chexbert.agreement(
            _labels(given, extracted), _labels(gold, extracted), findings=findings, uncertain=uncertain
        )

    def sums(given: str | None, gold: str, extracted: Extracted) -> Sums:
        return chexbert.sums(
            _labels(given, extracted), _labels(gold, extracted), findings=findings, uncertain=uncertain
        )

    name = f"{average}{len(findings)}" + ("" if uncertain == "positive" else "-zeros")
    return form(
        f"chexbert_f1/{name}",
        f"average:{average}|findings:{len(findings)}|uncertain:{uncertain}|absent:zero|agg:corpus",
        score,
        sums=sums,
        of_sums=partial(of_sums, average=average),
        needs=("chexbert",),
        range=(0.0, 1.0),
        paper="Smit et al. 2020, arXiv 2004.09167",
    )


_FORMS = [
    _form(average, findings, uncertain)
    for uncertain in ("positive", "negative")
    for findings in (FINDINGS, TOP5)
    for average in ("micro", "macro")
]
METRIC = family("chexbert_f1", "micro14", {one.name.partition("/")[2]: one for one in _FORMS})
