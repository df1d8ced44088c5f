"""Open accuracy: an open answer is right or wrong, by one of two named rules.

open_accuracy/exact       equal to the gold answer or an alternative, case, spaces and outer punctuation aside (default)
open_accuracy/recall-075  at least three quarters of the gold answer's words are in it; a long answer that names
                          everything passes, so read it beside token precision
"""

from osler.schema.sample import Answer
from osler.scoring.normalise import normalise
from osler.scoring.overlap import best_overlap
from osler.scoring.scorer import Metric

_ENOUGH = 0.75


def exact(parsed: str | None, answer: Answer) -> float | None:
    """1 if equal after normalisation, 0 if not or unparsed; None for another kind of answer."""
    if answer.kind != "open":
        return None
    return float(parsed is not None and normalise(parsed) in map(normalise, (answer.text, *answer.alternatives)))


def recalled(parsed: str | None, answer: Answer) -> float | None:
    """1 if enough of the gold answer's distinct words are in the answer."""
    if answer.kind != "open":
        return None
    return float((best_overlap(parsed, answer, part="recall", counts="set") or 0.0) >= _ENOUGH)


_FORMS = {
    "exact": Metric(
        name="open_accuracy/exact",
        signature="open_accuracy/exact|case:fold|space:collapse|punct:strip-ends|alternatives:any|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Lau et al. 2018, doi 10.1038/sdata.2018.251 (open-ended questions)",
        kinds=("open",),
        score=exact,
    ),
    "recall-075": Metric(
        name="open_accuracy/recall-075",
        signature="open_accuracy/recall-075|tok:word-characters|count:set|threshold:0.75|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="MultiMedEval, arXiv 2402.09262 (open accuracy: token recall of at least 0.75)",
        kinds=("open",),
        score=recalled,
    ),
}
METRIC = Metric(
    name="open_accuracy",
    signature=_FORMS["exact"].signature,
    range=(0.0, 1.0),
    paper=_FORMS["exact"].paper,
    kinds=("open",),
    score=exact,
    variants=_FORMS,
)
