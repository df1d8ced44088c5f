"""Number within: the parsed number lies within the answer's tolerance. With tolerance 0 it is count accuracy."""

from osler.schema.sample import Answer
from osler.scoring.scorer import Metric

_ROUNDING = 1e-9


def score(parsed: str | None, answer: Answer) -> float | None:
    """1 if |parsed - gold| <= tolerance (same unit), else 0; None for another kind of answer."""
    if answer.kind != "number":
        return None
    if parsed is None:
        return 0.0
    gold = float(answer.text)
    return float(abs(float(parsed) - gold) <= answer.tolerance + _ROUNDING * max(1.0, abs(gold)))


METRIC = Metric(
    name="number_within",
    signature="number_within|extract:exactly-one-number|tolerance:absolute,of-the-answer|unparsed:0|v:1",
    range=(0.0, 1.0),
    paper="the tolerance is declared by each question; 0 counts only the same number as right",
    kinds=("number",),
    score=score,
)
