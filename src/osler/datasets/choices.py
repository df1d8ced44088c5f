"""Questions with lettered options, as several sets publish them, to samples."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from osler.datasets.dataset import Skip
from osler.datasets.wording import ask_choice
from osler.schema.sample import LETTERS, Sample, choice, user

_OPTION = re.compile(r"^[ \t]*\(?([A-J])\s?[.):]:?[ \t]+(\S.*?)[ \t]*$", re.M)


def choice_sample(
    question: str,
    options: Sequence[Any],
    right: int,
    *,
    reasoning: str = "",
    tags: tuple[str, ...] = (),
    group: str = "",
) -> Sample | Skip:
    """Ask `question` with its options; number `right` of them, from 0, is the answer.

    Options that are missing at the end (None, NaN or blank, where a table has columns for more) are left out. A blank
    one before the end, or two with the words of the right one, cannot be asked fairly.
    """
    words = [_words(option) for option in options]
    while words and not words[-1]:
        words.pop()
    if not all(words):
        return Skip("an option is missing: blank before the last one")
    if len(words) < 2:
        return Skip("no options: fewer than two")
    if not 0 <= right < len(words):
        return Skip(f"the answer is not among the options: number {right + 1} of {len(words)}")
    if words.count(words[right]) > 1:
        return Skip("two options have the words of the right one")
    options = tuple(words)
    return Sample(
        turns=(user(ask_choice(question, options)),),
        answer=choice(words[right], options),
        reasoning=reasoning,
        task="choice_qa",
        tags=tags,
        group=group,
    )


def lettered(
    question: str,
    options: Mapping[str, Any],
    right: str | None,
    *,
    reasoning: str = "",
    tags: tuple[str, ...] = (),
    group: str = "",
) -> Sample | Skip:
    """Ask `question` with options under keys in order ("A", "B" or "1", "2", ...); `right` is the right one's key."""
    if right is None or not str(right).strip():
        return Skip("the answer is not published")
    keys = sorted(options)
    key = str(right).strip()
    number = keys.index(key) if key in options else -1
    if number < 0:
        return Skip(f"the answer is not among the options: {key!r}")
    return choice_sample(question, [options[key] for key in keys], number, reasoning=reasoning, tags=tags, group=group)


def option_lines(text: str) -> tuple[str, ...]:
    """The options that stand in `text` one a line after their letters; () where they are not A, B, C and so on.

    Every line of another form is passed over; `options.below` parts a question from its options instead.
    """
    found = _OPTION.findall(text)
    letters = "".join(letter for letter, _ in found)
    return tuple(words for _, words in found) if len(found) > 1 and LETTERS.startswith(letters) else ()


def named(answer: str, options: Sequence[str]) -> int:
    """The number of the option with whose words `answer` begins, the longest of several; -1 where none does."""
    exact = [(len(words), number) for number, words in enumerate(options) if _begins(answer, words)]
    if not exact:
        said = _plain(answer)
        exact = [
            (len(words), number)
            for number, words in enumerate(map(_plain, options))
            if words and (said == words or said.startswith(f"{words} "))
        ]
    longest = max(exact, default=(0, -1))
    return longest[1] if sum(size == longest[0] for size, _ in exact) == 1 else -1


def _begins(answer: str, words: str) -> bool:
    after = answer[len(words) : len(words) + 1]
    return bool(words) and not after.isalnum() and answer.startswith(words)


def _words(option: object) -> str:
    missing = option is None or option != option  # a number that is not itself is NaN, pandas' missing value
    return "" if missing else str(option).strip()


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
