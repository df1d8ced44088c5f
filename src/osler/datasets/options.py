"""Choice questions as sets publish them: options in a list or in words, the answer by its letter or by its words.

An entry that cannot be one of its options is a `Skip` whose reason is counted, never a guess. Options that differ only
in case or a full stop are refused; `choices` makes whole samples of exams' tables, which may repeat a wrong one.
"""

import ast
import re
from collections.abc import Sequence
from typing import Literal

from osler.datasets.dataset import Skip
from osler.schema.sample import LETTERS, Answer, choice

By = Literal["letter", "words", "either"]

_LETTER = re.compile(r"\(?([A-J])\s*[).:]?")
_LETTER_AND_WORDS = re.compile(r"\(?([A-J])\s*[).:]\s*(.+)", re.DOTALL)
_LINE = re.compile(r"^\s*\(?([A-J])\s*[).:]\s*(.*?)\s*$")
_LEAD = re.compile(r"\s*(?:answer choices|options|choices)\s*:?\s*$", re.IGNORECASE)


def choose(options: Sequence[str], answer: str, *, by: By = "either") -> Answer | Skip:
    """The right one of `options`, which `answer` names by its letter, by its words, or by either.

    Words are compared without regard to case, to spaces and to a full stop at the end.
    """
    words = bare(options)
    if len(words) < 2:
        return Skip("fewer than two options")
    if len(words) > len(LETTERS):
        return Skip(f"more than {len(LETTERS)} options")
    if not all(words):
        return Skip("an option is empty")
    if len(set(map(_folded, words))) < len(words):
        return Skip("two options have the same words")
    if not answer.strip():
        return Skip("the answer is empty")
    number = _number(words, answer.strip(), by=by)
    return Skip("the answer is not one of the options") if number is None else choice(words[number], words)


def bare(options: Sequence[str]) -> tuple[str, ...]:
    """The options without surrounding spaces, and without their letters where each one begins with its own."""
    words = tuple(option.strip() for option in options)
    found = [_LETTER_AND_WORDS.fullmatch(word) for word in words]
    is_lettered = all(match and match[1] == letter for match, letter in zip(found, LETTERS, strict=False))
    return tuple(match[2].strip() for match in found if match) if is_lettered else words


def listed(text: str) -> tuple[str, ...] | None:
    """The values of a list written as Python writes it, e.g. `['A', "the patient's"]`; None where it is none."""
    try:
        values = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return tuple(map(str, values)) if isinstance(values, list | tuple) else None


def below(text: str) -> tuple[str, tuple[str, ...]]:
    """A question, and the options that follow it one a line, each after its letter; no options where there are none.

    The first A begins them, other lines below belong to the option above, and "(A)one" needs no blank: for rows that
    hold question and options in one field. `choices.option_lines` is for a field of options only.
    """
    lines = text.strip().split("\n")
    options: list[str] = []
    first = len(lines)
    for number, line in enumerate(lines):
        found = _LINE.match(line)
        if found and found[1] == LETTERS[len(options) : len(options) + 1]:
            first = number if not options else first
            options.append(found[2])
        elif options and line.strip():
            options[-1] += f" {line.strip()}"
    if len(options) < 2:
        return text.strip(), ()
    return _LEAD.sub("", "\n".join(lines[:first])).strip(), tuple(options)


def without_options(question: str, options: Sequence[str]) -> str:
    """The question without the options that some sets write behind it as `Answer Choices: (A) ... (B) ...`."""
    found = re.search(r"\s*answer choices\s*:\s*\(A\)", question, flags=re.IGNORECASE)
    is_list = found is not None and all(option.strip() in question[found.start() :] for option in options)
    return question[: found.start()].strip() if found and is_list else question.strip()


def _number(words: Sequence[str], answer: str, *, by: By) -> int | None:
    folded = [_folded(word) for word in words]
    if by != "letter" and _folded(answer) in folded:
        return folded.index(_folded(answer))
    letter = _LETTER.fullmatch(answer)
    both = _LETTER_AND_WORDS.fullmatch(answer)
    if both and not letter:
        # Letter and words must agree: an answer whose letter and words name two options names none.
        number = LETTERS.index(both[1])
        return number if number < len(words) and folded[number] == _folded(both[2]) else None
    if by == "words" or not letter or LETTERS.index(letter[1]) >= len(words):
        return None
    return LETTERS.index(letter[1])


def _folded(text: str) -> str:
    return " ".join(text.split()).rstrip(".").casefold() or text.strip()
