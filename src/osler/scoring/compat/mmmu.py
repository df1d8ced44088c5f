r"""MMMU's rule: the last letter in brackets or between spaces, else an option's words, else a letter drawn at random.

Source: MMMU-Benchmark/MMMU, eval/eval_utils.py. A choice: letters in brackets, `(B)`; where there is none, letters with
a space on both sides; where there is none and the reply has more than five words, options whose words occur in it. Of
several the one that occurs last wins. Where nothing was found a letter is drawn. An open answer is right where the gold
words occur in the end of a line after "is", "so", "answer" and the like, or a number there is equal to two places.

Departure: there the draws come from one generator for the whole run, so that a score depends on the order of the items;
here each item has a generator of its own. Known defects, kept: "A chest film" is A, "Final Answer: C\n(A) was ruled
out" is A, and one wrong answer in k that says nothing is right.
"""

import re
from collections.abc import Iterable

import numpy as np

from osler.schema.sample import LETTERS, Answer
from osler.scoring.parser import Parser, Verdict

_EDGES = ",.!?;:'"
_INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"(?:-|(?<!\d))\d++(?:\.\d++)?[eE][+-]?\d++"),
    re.compile(r"-?(?:(?<!\d)\d++\.\d++|\.\d++|(?<!\d)\d++\b)(?![eE][+-]?\d)(?![,\d])"),
)
_MIN_WORDS = 6


def judge(reply: str, answer: Answer, random: np.random.Generator) -> Verdict:
    """A choice by letters, words or a draw; anything else by the words and numbers after an indicator."""
    if answer.kind != "choice":
        return _judge_open(reply, answer)
    letters = LETTERS[: len(answer.options)]
    letter = _read_letter(reply, answer.options)
    if letter is None:
        drawn = letters[int(random.integers(len(letters)))]
        return Verdict(drawn, float(drawn == answer.letter), guessed=True, expected=1 / len(letters))
    return Verdict(letter, float(letter == answer.letter))


def _read_letter(reply: str, options: tuple[str, ...]) -> str | None:
    for mark in _EDGES:
        reply = reply.strip(mark)
    text = f" {reply} "
    letters = LETTERS[: len(options)]
    for form in ("({})", " {} "):
        places = {letter: text.rfind(form.format(letter)) for letter in letters}
        if max(places.values()) >= 0:
            return max(places, key=lambda letter: places[letter])
    if len(text.split()) < _MIN_WORDS:
        return None
    lowered = text.lower()
    places = {letter: lowered.rfind(option.lower()) for letter, option in zip(letters, options, strict=True)}
    return max(places, key=lambda letter: places[letter]) if max(places.values()) >= 0 else None


def _judge_open(reply: str, answer: Answer) -> Verdict:
    ends = _line_ends(reply)
    said = [value for text in [*ends, *_numbers(ends)] for value in _comparable(text)]
    gold = [value for text in (answer.text, *answer.alternatives) for value in _comparable(text)]
    words = [value for value in gold if isinstance(value, str)]
    right = any(any(word in one for word in words) if isinstance(one, str) else one in gold for one in said)
    return Verdict("; ".join(ends).strip() or None, float(right))


def _line_ends(reply: str) -> list[str]:
    """The shortest end of each line after an indicator; the whole reply where no line has one.

    The source means to cut at sentences too, but lower-cases first and then looks for a capital: only lines are cut.
    """
    text = reply.strip().strip(".").lower()
    lines = text.split("\n")
    ends = []
    for number, line in enumerate(lines):
        indicators = (*_INDICATORS, "=") if number == len(lines) - 1 else _INDICATORS
        shortest = ""
        for end in (line.rpartition(word)[2].strip() for word in indicators if word in line):
            if not shortest or len(end) < len(shortest):
                shortest = end
        if shortest and shortest not in _EDGES:
            ends.append(shortest)
    return ends or [text]


def _numbers(texts: Iterable[str]) -> list[str]:
    return [found for text in texts for pattern in _NUMBERS for found in pattern.findall(text)]


def _comparable(text: str) -> list[str | float]:
    """A number to two places, or lower-cased words; a single character only beside a space."""
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        lowered = text.lower()
        return [f" {lowered}", f"{lowered} "] if len(lowered) == 1 else [lowered]


PARSER = Parser(
    name="mmmu",
    rule="last (X), else last X between spaces, else option words, else random",
    source="MMMU-Benchmark/MMMU eval/eval_utils.py",
    measures={"choice": "accuracy", "open": "accuracy", "number": "accuracy"},
    judge=judge,
)
