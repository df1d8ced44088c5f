"""The answer out of a model's final words, by rule: `ok` with what was said, or a status and nothing. Never a guess.

The rules by kind of answer (each decided here, once):

choice   one letter, declared in a known form, or the exact words of one option: see `choice.py`.
closed   a label leads: the text, without markup and without "Answer:", begins with a label as a whole word, and no
         other label contradicts it (as the next word, after or/and/but, or as a clause of its own).
number   exactly one number, not negated and not a bound ("at least 3"); a lone word from zero to ten is a number.
open     the stripped words. text: likewise.
"""

import re
from typing import Literal, NamedTuple

from osler.schema.sample import Answer
from osler.scoring.channels import split_channels
from osler.scoring.choice import read_choice
from osler.scoring.normalise import normalise, squeeze

Status = Literal["ok", "unparsed", "refused", "truncated"]

_ACTS = r"(?:answer|determine|provide|assist|help|diagnose|interpret|view|see|tell|give|make)\b"
_REFUSAL = re.compile(
    r"\W*(?:(?:i'?m|i am) (?:sorry|unable|not able)|sorry\b|as an ai\b"
    rf"|i (?:can ?not|can'?t|won'?t|will not|do not|don'?t) {_ACTS}|unable to {_ACTS})"
)
_PREAMBLE = re.compile(r"(?:\W*(?:the )?(?:final |correct )?answer(?: is\b:?|:))?[\s*_`\"'(\[]*", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:(?<=\d)\.\d+|(?<!\d)\.\d+)?(?![\w])")
_DIGITS = re.compile(r"\d")
_NO_NUMBER = re.compile(r"\bnot\b|n't\b|\bor\b|[<>≤≥?]|\b(?:at (?:least|most)|(?:more|less|fewer|greater) than)\b")
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MARKUP = re.compile(r"\\boxed\{(?:\\text\{)?([^{}]*)\}+")


class Extraction(NamedTuple):
    """`parsed` is a letter, a label, a number or the words themselves; None unless `status` is `ok`."""

    status: Status
    parsed: str | None
    final: str


def read_reply(raw: str, answer: Answer, *, finished: bool | None = None) -> Extraction:
    """The answer in a whole reply. Looks at the gold answer's form (`kind`, `labels`, `options`), never at its text.

    finished: whether the model stopped by itself, where the backend knows; else the channels' end marks decide.
    A reply that was cut is `truncated`, whatever its words.
    """
    channels = split_channels(raw)
    if not (channels.complete if finished is None else finished):
        return Extraction("truncated", None, channels.final)
    parsed = extract(channels.final, answer)
    if parsed is not None:
        return Extraction("ok", parsed, channels.final)
    return Extraction("refused" if is_refusal(channels.final) else "unparsed", None, channels.final)


def extract(final: str, answer: Answer) -> str | None:
    """The answer in the final words, or None."""
    if answer.kind == "choice":
        return read_choice(final, answer.options)
    if answer.kind == "closed" and answer.labels:
        return read_label(final, answer.labels)
    if answer.kind == "number":
        return read_number(final)
    return None if is_refusal(final) else final.strip() or None


def is_refusal(final: str) -> bool:
    """Whether the words begin as a refusal in the first person does."""
    return _REFUSAL.match(final.replace("\u2019", "'").casefold()) is not None


def read_label(final: str, labels: tuple[str, ...]) -> str | None:
    """The label that leads the words, or None; see the top of this file."""
    text = _plain(final)
    text = text[_prefix_end(text) :]
    by_length = sorted(labels, key=len, reverse=True)
    label = next((one for one in by_length if re.match(_whole(one), text, re.IGNORECASE)), None)
    if label is None:
        return None
    rest = text[len(label) :]
    others = "|".join(_whole(one) for one in by_length if one != label) or r"(?!)"
    next_word = rf"[^\w?]*(?:(?:and/or|and|but|or)\W+)?(?:{others})"
    own_clause = rf"(?:^|[.,;:!\n-])\s*(?:{others})\s*(?:[.,;:!?\n-]|\Z)"
    doubt = r"\W*\?|\W*(?:or|not)\b|\W*/"
    contradicted = (
        re.match(next_word, rest, re.IGNORECASE)
        or re.match(doubt, rest, re.IGNORECASE)
        or re.search(own_clause, rest, re.IGNORECASE)
    )
    return None if contradicted else label


def read_number(final: str) -> str | None:
    """The only number in the words, as digits, or None."""
    text = _plain(final)
    text = text[_prefix_end(text) :].strip()
    alone = normalise(text)
    if alone in _WORDS:
        return str(_WORDS.index(alone))
    found = [match.group() for match in _NUMBER.finditer(text) if _DIGITS.search(match.group())]
    if len(found) != 1 or len(re.findall(r"\d+", text.replace(found[0], "", 1))) > _words_with_digits(text):
        return None
    return None if _NO_NUMBER.search(text.casefold()) else found[0].replace(",", "").lstrip("+")


def _words_with_digits(text: str) -> int:
    """How many names such as T2 or L4 the text holds; their digits are no numbers."""
    return len(re.findall(r"\b[^\W\d_]+\d+\b", text))


def _plain(text: str) -> str:
    return _MARKUP.sub(r"\1", squeeze(text.replace("\u2019", "'"))).strip().strip("$ ")


def _prefix_end(text: str) -> int:
    match = _PREAMBLE.match(text)
    return match.end() if match else 0


def _whole(label: str) -> str:
    return rf"{re.escape(label)}(?![\w]|[-'/]\w)"
