"""Checks of a written question that need no model. Each gives the reason against it, or ""."""

import re
from collections.abc import Callable

from osler.core.errors import InputError
from osler.datasets.adapters.open_med_reason import split_options
from osler.datasets.wording import ask_choice
from osler.schema.sample import LETTERS
from osler.scoring.normalise import normalise
from osler.synth.reasoning.case import Question
from osler.synth.reasoning.quotes import num_words
from osler.synth.reasoning.rules import Rules

_SOURCE = re.compile(
    r"\b(?:captions?|articles?|authors?|manuscript|passages?|paragraphs?|(?:the|this|our) (?:text|study|paper|report)|"
    r"fig(?:ure|s)?\.?\s*s?\d+[a-z]?|according to the (?:text|source))\b",
    re.IGNORECASE,
)
_MARKED = re.compile(r"\s*\(?[A-Ja-j1-9][.):]\s")
_CATCH_ALL = re.compile(r"\b(?:all|none|both|neither|any) of (?:the )?(?:above|these|those|other)\b", re.IGNORECASE)
_TAG = re.compile(r"</?(?:think|answer)>", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
# Too short or too common to give anything away.
_EMPTY = frozenset(("with", "from", "that", "this", "into", "than", "left", "right", "both", "more", "less"))
_MIN_LETTERS = 4


def question_fault(question: Question, rules: Rules) -> str:
    """The first reason against a question; "" where there is none."""
    checks: tuple[Callable[[Question, Rules], str], ...] = (
        _count_fault,
        _option_fault,
        _answer_fault,
        _stem_fault,
        _source_fault,
        _leak_fault,
        _length_fault,
        _layout_fault,
    )
    return next((fault for check in checks if (fault := check(question, rules))), "")


def read_written(stem: str, options: list[str], answer: str) -> Question:
    """A question without blanks around its parts; `answer` is the option with these words where there is one."""
    parts = tuple(" ".join(option.split()) for option in options)
    same = [option for option in parts if normalise(option) == normalise(answer)]
    return Question(stem=stem.strip(), options=parts, answer=same[0] if len(same) == 1 else answer.strip())


def speaks_of_source(text: str) -> str:
    """The words by which a text shows that it was made from an article; "" where it has none."""
    found = _SOURCE.search(text)
    return found[0] if found else ""


def has_tag(text: str) -> str:
    """A mark of the published layout inside a text, which would break it; "" where there is none."""
    found = _TAG.search(text)
    return found[0] if found else ""


def _count_fault(question: Question, rules: Rules) -> str:
    if len(question.options) != rules.num_options:
        return f"number of options: {len(question.options)}, not {rules.num_options}"
    return ""


def _option_fault(question: Question, rules: Rules) -> str:
    known = [normalise(option) for option in question.options]
    if "" in known or len(set(known)) < len(known):
        return "options repeat or are empty"
    for option in question.options:
        if _MARKED.match(option):
            return f"option with a letter in front: {option}"
        if _CATCH_ALL.search(option):
            return f"option is a catch-all: {option}"
        if num_words(option) > rules.max_option_words:
            return f"option too long: {num_words(option)} words, limit {rules.max_option_words}"
    return ""


def _answer_fault(question: Question, rules: Rules) -> str:
    del rules
    return "" if question.answer in question.options else f"answer is no option: {question.answer}"


def _stem_fault(question: Question, rules: Rules) -> str:
    count = num_words(question.stem)
    if not rules.min_stem_words <= count <= rules.max_stem_words:
        return f"stem length: {count} words, limits {rules.min_stem_words} and {rules.max_stem_words}"
    return ""


def _source_fault(question: Question, rules: Rules) -> str:
    del rules
    words = speaks_of_source("\n".join((question.stem, *question.options)))
    return f"speaks of the source: {words}" if words else ""


def _leak_fault(question: Question, rules: Rules) -> str:
    """The answer in the stem, in a row or in its weighty words, unless the stem names every option."""
    del rules
    stem = _plain(question.stem)
    named = [option for option in question.options if f" {_plain(option)} " in f" {stem} "]
    if question.answer in named and len(named) < len(question.options) and len(question.answer) >= _MIN_LETTERS:
        return f"answer in the stem: {question.answer}"
    known = set(stem.split())
    inside = [option for option in question.options if (words := _weighty(option)) and words <= known]
    if inside == [question.answer] and len(_weighty(question.answer)) > 1:
        return f"answer in the stem: the words {', '.join(sorted(_weighty(question.answer)))}"
    return ""


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _weighty(text: str) -> set[str]:
    return {w for w in _WORD.findall(text.casefold()) if len(w) >= _MIN_LETTERS and w not in _EMPTY}


def _length_fault(question: Question, rules: Rules) -> str:
    """The right option much longer than every other one: the oldest hint there is."""
    own = len(question.answer)
    longest = max(len(option) for option in question.options if option != question.answer)
    if own > rules.max_length_ratio * longest:
        return f"answer stands out: {own} letters, the next longest option {longest}"
    return ""


def _layout_fault(question: Question, rules: Rules) -> str:
    """Whether stem and options come back out of the published layout as they were put in."""
    del rules
    text = ask_choice(question.stem, question.options)
    if words := has_tag(text):
        return f"mark of the layout inside: {words}"
    if split_options(text) != (question.stem, question.options):
        return "layout: stem and options cannot be told apart"
    return ""


def letter_of(question: Question, order: tuple[str, ...]) -> str:
    """The letter of the right option among `order`."""
    if sorted(order) != sorted(question.options):
        raise InputError("another set of options than the question's")
    return LETTERS[order.index(question.answer)]
