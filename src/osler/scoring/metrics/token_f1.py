"""Token F1: overlap of words between the answer given and the gold answer, as multisets or as sets."""

import re
from collections import Counter
from functools import partial
from typing import Literal, NamedTuple

from osler.schema.sample import Answer
from osler.scoring.scorer import Metric

Counts = Literal["multiset", "set"]
_WORD = re.compile(r"\w+", re.UNICODE)


class Overlap(NamedTuple):
    """Precision, recall and their harmonic mean."""

    precision: float
    recall: float
    f1: float


def overlap(prediction: str, reference: str, *, counts: Counts = "multiset") -> Overlap:
    """Word overlap of two texts: lower-cased runs of letters and digits.

    A side without words gives 0 everywhere; two sides without words too, since nothing was shown to agree.
    """
    given, gold = Counter(_WORD.findall(prediction.lower())), Counter(_WORD.findall(reference.lower()))
    if counts == "set":
        given, gold = Counter(set(given)), Counter(set(gold))
    shared = (given & gold).total()
    if not shared:
        return Overlap(0.0, 0.0, 0.0)
    precision, recall = shared / given.total(), shared / gold.total()
    return Overlap(precision, recall, 2 * precision * recall / (precision + recall))


def score(parsed: str | None, answer: Answer, *, counts: Counts = "multiset") -> float | None:
    """The best F1 over the gold answer and its alternatives; None for choices and numbers."""
    if answer.kind not in METRIC.kinds:
        return None
    if parsed is None:
        return 0.0
    return max(overlap(parsed, text, counts=counts).f1 for text in (answer.text, *answer.alternatives))


def _variant(counts: Counts, name: str) -> Metric:
    return Metric(
        name=name,
        signature=f"token_f1/{counts}|tok:word-characters|case:lower|articles:kept|alternatives:best|unparsed:0|v:1",
        range=(0.0, 1.0),
        paper="Rajpurkar et al. 2016, arXiv 1606.05250 (multiset; peers that use sets differ on repeated words)",
        kinds=("closed", "open", "text"),
        score=partial(score, counts=counts),
        variants={c: _variant(c, f"token_f1/{c}") for c in ("multiset", "set")} if name == "token_f1" else {},
    )


METRIC = _variant("multiset", "token_f1")
