"""Step: one question to a model about each case, and what becomes of the case by the answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from osler.endpoint.chat import Picture
from osler.schema.sample import LETTERS
from osler.synth.reasoning.answers import Answer
from osler.synth.reasoning.case import Case, Rejected
from osler.synth.reasoning.rules import Rules

Parts = tuple[str | Picture, ...]
"""What the user message holds, in order."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step.

    name: of the step, of its prompt, and the rule of its rejections.
    role: which of the recipe's models is asked.
    answer: the form of a reply.
    ask: the user messages about a case, each of which is asked; more than one where an answer may be luck.
    take: what the replies make of the case: the case with more in it, several, or rejections; never nothing.
    applies: whether the step is for this case; others pass it as they are.
    """

    name: str
    role: str
    answer: type[Answer]
    ask: Callable[[Case, Rules], Sequence[Parts]]
    take: Callable[[Case, Sequence[Any], Rules], Sequence[Case | Rejected]]
    applies: Callable[[Case, Rules], bool] = lambda case, rules: True


def source_part(case: Case) -> str:
    """Caption and paragraphs, marked as such."""
    return f"<source>\n{case.figure.context}\n</source>"


def question_part(case: Case, *, order: tuple[str, ...] | None = None, with_answer: bool = False) -> str:
    """The question with its options after letters, marked as such; the right option in words where it may be known."""
    asked = case.asked
    lines = [f"{letter}. {option}" for letter, option in zip(LETTERS, order or asked.options, strict=False)]
    text = "\n".join(["<question>", asked.stem, *lines, "</question>"])
    return f"{text}\n<right_option>\n{asked.answer}\n</right_option>" if with_answer else text


def reason_text(text: str) -> str:
    """A model's reason on one line."""
    return " ".join(text.split())
