"""Exact match: the parsed answer is the gold answer or an accepted alternative, case and spaces aside."""

from osler.schema.sample import Answer
from osler.scoring.normalise import normalise
from osler.scoring.scorer import Metric


def score(parsed: str | None, answer: Answer) -> float | None:
    """1 if equal after normalisation, else 0. A choice is compared by its letter."""
    if parsed is None:
        return 0.0
    if answer.kind == "choice":
        return float(parsed == answer.letter)
    return float(normalise(parsed) in {normalise(text) for text in (answer.text, *answer.alternatives)})


METRIC = Metric(
    name="exact_match",
    signature="exact_match|case:fold|space:collapse|punct:strip-ends|alternatives:any|unparsed:0|v:1",
    range=(0.0, 1.0),
    paper="Rajpurkar et al. 2016, arXiv 1606.05250 (without its removal of articles)",
    kinds=("closed", "open", "choice", "number", "text"),
    score=score,
)
