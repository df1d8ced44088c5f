"""Reading: by which rule an answer was taken out of a reply, and in which words of it, for people who check."""

import re
from typing import NamedTuple

from osler.schema.sample import LETTERS, Answer
from osler.scoring.channels import split_channels
from osler.scoring.choice import declarations
from osler.scoring.normalise import normalise

_NOT_READ = {
    "refused": "the reply refuses",
    "truncated": "the reply was cut before its end",
    "error": "no reply",
}
_NO_ANSWER = {
    "choice": "no letter is declared alone and without doubt",
    "closed": "no label leads the reply uncontradicted",
    "number": "not exactly one plain number",
}


class Reading(NamedTuple):
    """rule: which one read the answer, or why none did. words: those it was read in, "" where there are none.

    span: where the words begin and end in the raw reply; None where they do not stand there letter by letter.
    """

    rule: str
    words: str = ""
    span: tuple[int, int] | None = None


def reading_of(raw: str, answer: Answer, *, status: str, parsed: str | None) -> Reading:
    """How `parsed` came out of `raw`; `status` and `parsed` are what `read_reply` gave.

    Args:
        raw: the whole reply.
        answer: the gold answer, of which only the form is looked at.
        status: of the prediction.
        parsed: of the prediction.
    """
    final = split_channels(raw).final
    if parsed is None:
        return Reading(_NOT_READ.get(status) or _NO_ANSWER.get(answer.kind, "the reply is empty"))
    rule, words = _rule(final, answer, parsed)
    return Reading(rule, words, _place(raw, final, words))


def _rule(final: str, answer: Answer, parsed: str) -> tuple[str, str]:
    if answer.kind == "choice":
        return _choice_rule(final, answer.options, parsed)
    if answer.kind == "closed" and answer.labels:
        found = re.search(rf"(?<!\w){re.escape(parsed)}(?![\w])", final, re.IGNORECASE)
        return "a label leads the reply", found.group() if found else ""
    if answer.kind == "number":
        if parsed in final:
            return "the only number", parsed
        found = re.search(r"[-+]?[\d,.]*\d|[A-Za-z]+", final)
        return "the only number", found.group() if found else ""
    return "the whole reply", final


def _choice_rule(final: str, options: tuple[str, ...], parsed: str) -> tuple[str, str]:
    position = LETTERS.index(parsed)
    if position < len(options) and normalise(final) == normalise(options[position]):
        return "the exact words of one option", final.strip()
    return next(((rule, words) for rule, letter, words in declarations(final) if letter == parsed), ("a letter", ""))


def _place(raw: str, final: str, words: str) -> tuple[int, int] | None:
    """Where `words` stand in `raw`, looked for in its final channel."""
    start = raw.rfind(final)
    within = final.find(words)
    if not words or start < 0 or within < 0:
        return None
    return start + within, start + within + len(words)
