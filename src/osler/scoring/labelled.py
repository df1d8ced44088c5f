"""Answers out of a declared set of labels, as the class metrics see them."""

from osler.schema.sample import LETTERS, Answer
from osler.scoring.classes import parts
from osler.scoring.normalise import normalise
from osler.scoring.scorer import Sums

KINDS = ("closed", "choice")


def gold_and_given(parsed: str | None, answer: Answer) -> tuple[str, str | None]:
    """The gold label and the label given (None where the answer is unparsed or is no label)."""
    if answer.kind == "choice":
        return answer.letter, parsed
    return normalise(answer.text), None if parsed is None else normalise(parsed)


def is_right(parsed: str | None, answer: Answer) -> float | None:
    """1 if the label is right, 0 if it is wrong or there is none; None for another kind of answer."""
    if answer.kind not in KINDS:
        return None
    gold, given = gold_and_given(parsed, answer)
    return float(gold == given)


def class_sums(parsed: str | None, answer: Answer) -> Sums:
    """One item's part of the counts of every label that its question declares (a choice declares its letters)."""
    gold, given = gold_and_given(parsed, answer)
    declared = LETTERS[: len(answer.options)] if answer.kind == "choice" else map(normalise, answer.labels)
    sums: dict[object, float] = {}
    for label in dict.fromkeys([*declared, gold]):
        sums.update(parts(label, gold=label == gold, given=label == given))
    return sums
