"""RaTEScore: medical entities of a report against those of its reference, weighed by their types.

ratescore/long   the published weights for whole reports (default); a flipped negation of a lone entity costs only 13 %
ratescore/short  the published weights for short texts
A side without entities scores 0.5, as published. Needs `metric_weights.ratescore` (folders `ner` and `embedding`).
Sentences are cut by rule here, at full stops and line breaks; the published package cuts them with medspacy.
"""

import numpy as np

from osler.scoring.report_metrics.forms import family, form
from osler.scoring.report_metrics.ratescore import Entities, Form, ratescore
from osler.scoring.scorer import Extracted, Metric


def _entities(text: str, extracted: Extracted) -> Entities:
    found = extracted.value("ratescore", text)
    return Entities(tuple(kind for _, kind in found["entities"]), np.asarray(found["vectors"]))


def _form(name: Form) -> Metric:
    def score(given: str, gold: str, extracted: Extracted) -> float:
        return max(0.0, ratescore(_entities(given, extracted), _entities(gold, extracted), name))

    return form(
        f"ratescore/{name}",
        "weights:0.6.0|no-entity:0.5|below-0:0|sentences:rule|agg:mean",
        score,
        needs=("ratescore",),
        range=(0.0, 1.0),
        paper="Zhao et al. 2024, arXiv 2406.16845",
    )


METRIC = family("ratescore", "long", {"long": _form("long"), "short": _form("short")})
