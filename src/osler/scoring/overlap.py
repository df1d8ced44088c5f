"""Overlap of the words of two texts, as multisets or as sets."""

import re
from collections.abc import Hashable, Iterable
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
    given, gold = _WORD.findall(prediction.lower()), _WORD.findall(reference.lower())
    if counts == "set":
        given, gold = list(dict.fromkeys(given)), list(dict.fromkeys(gold))
    shared = num_shared(given, [gold])
    if not shared:
        return Overlap(0.0, 0.0, 0.0)
    precision, recall = shared / len(given), shared / len(gold)
    return Overlap(precision, recall, 2 * precision * recall / (precision + recall))


def num_shared(given: Iterable[Hashable], references: Iterable[Iterable[Hashable]]) -> int:
    """How many of the given things the references hold, each as often as the reference that holds it most often."""
    left: dict[Hashable, int] = {}
    for reference in references:
        held: dict[Hashable, int] = {}
        for thing in reference:
            held[thing] = held.get(thing, 0) + 1
        left = {thing: max(held.get(thing, 0), left.get(thing, 0)) for thing in {**left, **held}} if left else held
    shared = 0
    for thing in given:
        if left.get(thing, 0):
            left[thing] -= 1
            shared += 1
    return shared


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
