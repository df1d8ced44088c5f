"""Reference answers of the VQA-Med challenges, in which `#` and `( )` say what else is right."""

import re
from itertools import product

from osler.datasets.dataset import Row, Skip
from osler.schema.sample import Answer, Sample, closed, image, open_answer, user

_OPTIONAL = re.compile(r"\(([^()]*)\)")
_MAX_OPTIONAL = 3


def ask(row: Row, *, tags: tuple[str, ...] = ()) -> Sample | Skip:
    """Ask the row's `question` about its `image`; `answers` are the wordings that are right, the published first."""
    question, answers = str(row["question"]).strip(), row["answers"]
    if not question or not answers:
        return Skip(f"the {'answer' if question else 'question'} is empty")
    return Sample(turns=(user(image(row["image"]), question),), answer=_answer(answers), tags=tags)


def wordings(text: str) -> tuple[str, ...]:
    """The answers that `text` accepts, the first as published.

    `#` stands between answers that are each right, `( )` around a part that may be left out: `a (b)#c` accepts
    `a (b)`, `a b`, `a` and `c`. After the rules in the README of the 2019 test set.
    """
    found: dict[str, None] = {}
    for published in map(str.strip, text.split("#")):
        parts = _OPTIONAL.split(published)
        optional = range(1, len(parts), 2)
        if published:
            found[published] = None
        for kept in product((True, False), repeat=len(optional)) if 0 < len(optional) <= _MAX_OPTIONAL else ():
            left_out = {number for number, is_kept in zip(optional, kept, strict=True) if not is_kept}
            words = " ".join("".join(part for n, part in enumerate(parts) if n not in left_out).split())
            if words:
                found[words] = None
    return tuple(found)


def _answer(answers: tuple[str, ...]) -> Answer:
    if len(answers) == 1 and answers[0].lower() in {"yes", "no"}:
        return closed(answers[0])
    return open_answer(answers[0], *answers[1:])
