"""Closed accuracy: the parsed label is the gold label. Words inside other words never count."""

from osler.schema.sample import Answer
from osler.scoring.normalise import normalise
from osler.scoring.scorer import Metric


def score(parsed: str | None, answer: Answer) -> float | None:
    """1 if the label is right, 0 if it is wrong or there is none; None for another kind of answer."""
    if answer.kind != "closed":
        return None
    return float(parsed is not None and normalise(parsed) == normalise(answer.text))


METRIC = Metric(
    name="closed_accuracy",
    signature="closed_accuracy|extract:leading-label|unparsed:0|v:1",
    range=(0.0, 1.0),
    paper="Lau et al. 2018, doi 10.1038/sdata.2018.251 (closed-ended questions)",
    kinds=("closed",),
    score=score,
)
