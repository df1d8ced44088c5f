"""Overlap of the words of two texts, as multisets or as sets."""

import re
from collections import Counter
from typing import Literal, NamedTuple

from osler.schema.sample import Answer

Counts = Literal["multiset", "set"]
KINDS = ("closed", "open", "text")
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


def best_overlap(parsed: str | None, answer: Answer, *, part: str, counts: Counts = "multiset") -> float | None:
    """The best `part` (`precision`, `recall`, `f1`) over the gold answer and its alternatives.

    0 for an unparsed answer, None for choices and numbers.
    """
    if answer.kind not in KINDS:
        return None
    if parsed is None:
        return 0.0
    return max(
        float(getattr(overlap(parsed, text, counts=counts), part)) for text in (answer.text, *answer.alternatives)
    )
