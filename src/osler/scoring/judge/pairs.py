"""Judge pairs of answers: each pair in both orders, so that a judge that likes a side prefers nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from osler.core.errors import InputError
from osler.endpoint.ask import Question, ask_all
from osler.endpoint.chat import ChatRequest, system_message, user_message
from osler.endpoint.served import Endpoint
from osler.scoring.judge.prompts import PromptName, judge_prompt
from osler.scoring.preference import Outcome, Verdict, combine

PROMPTS: tuple[PromptName, ...] = ("prefer",)


class Preferred(BaseModel):
    """A judge's answer about one pair in one order."""

    model_config = ConfigDict(extra="forbid")
    reason: str
    verdict: Literal["left", "right", "tie", "both_bad"]


@dataclass(frozen=True)
class AnswerPair:
    """Two answers to one question, by the models' names; the judge is told neither."""

    id: str
    question: str
    first: str
    second: str


@dataclass(frozen=True)
class JudgedPair:
    """outcome: None where a verdict could not be read (`problem`). shown, swapped: with the first one left, right."""

    outcome: Outcome | None
    shown: Verdict | None
    swapped: Verdict | None
    problem: str = ""


def judge_pairs(
    pairs: Sequence[AnswerPair], *, endpoint: Endpoint, kept: Path | None, name: str = "judge"
) -> dict[str, JudgedPair]:
    """The outcomes by the pairs' ids. Two answers of the same words are a tie, without asking.

    Raises:
        InputError: two pairs have one id.
        PausedError: the endpoint gave no answer, or a budget is spent; answers so far are kept.
    """
    if len({pair.id for pair in pairs}) < len(pairs):
        raise InputError("two pairs have the same id", expected="each pair of answers once")
    asked = [pair for pair in pairs if pair.first.strip() != pair.second.strip()]
    questions = (
        _question(f"{pair.id}~{order}", pair.question, *sides, endpoint=endpoint)
        for pair in asked
        for order, sides in (("shown", (pair.first, pair.second)), ("swapped", (pair.second, pair.first)))
    )
    answers = ask_all(questions, Preferred, endpoint=endpoint, name=name, kept=kept)
    found = {pair.id: JudgedPair("tie", "tie", "tie") for pair in pairs}
    for pair in asked:
        both = [answers[f"{pair.id}~{order}"] for order in ("shown", "swapped")]
        shown, swapped = (None if each.value is None else each.value.verdict for each in both)
        problem = next((each.problem for each in both if each.problem), "")
        found[pair.id] = JudgedPair(combine(shown, swapped), shown, swapped, problem)
    return found


def _question(id: str, asked: str, left: str, right: str, *, endpoint: Endpoint) -> Question:
    text = f"Question:\n{asked}\n\n<left>\n{left}\n</left>\n\n<right>\n{right}\n</right>"
    request = ChatRequest(
        (system_message(judge_prompt("prefer")), user_message(text)),
        max_tokens=endpoint.max_answer_tokens,
        extra=endpoint.extra,
    )
    return Question(id, request)
