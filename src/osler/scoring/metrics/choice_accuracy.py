"""Choice accuracy: the declared letter is the letter of the right option. No guess, no nearest option."""

from osler.schema.sample import Answer
from osler.scoring.scorer import Metric


def score(parsed: str | None, answer: Answer) -> float | None:
    """1 if the letter is right, 0 if it is wrong or there is none; None for another kind of answer."""
    if answer.kind != "choice":
        return None
    return float(parsed == answer.letter)


METRIC = Metric(
    name="choice_accuracy",
    signature="choice_accuracy|extract:declared-letter-or-exact-option|unparsed:0|v:1",
    range=(0.0, 1.0),
    paper="arXiv 2603.00842 (rule-based extraction, anything that is no option is wrong)",
    kinds=("choice",),
    score=score,
)
