"""Judge traces by the units of their references: presence of each unit first, then correctness of those that are there.

Answers are typed and kept (`endpoint.cache`), so that no question is paid for twice; one that never becomes readable is
an unread verdict, never a guess. Evaluation and rewards both ask here, and both score with `scoring.pkr.trace_score`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from osler.core.errors import InputError
from osler.endpoint.ask import Answered, Question, ask_all
from osler.endpoint.chat import ChatRequest, system_message, user_message
from osler.endpoint.served import Endpoint
from osler.schema.sample import RubricUnit
from osler.scoring.channels import split_channels
from osler.scoring.judge.prompts import PromptName, judge_prompt
from osler.scoring.pkr import UnitVerdict

PROMPTS: tuple[PromptName, ...] = ("presence", "correctness")


class Presence(BaseModel):
    """A judge's answer to a presence question."""

    model_config = ConfigDict(extra="forbid")
    reason: str
    presence: Literal[0, 1, 2]


class Correctness(BaseModel):
    """A judge's answer to a correctness question."""

    model_config = ConfigDict(extra="forbid")
    reason: str
    correctness: Literal[-1, 0, 1]


@dataclass(frozen=True)
class Trace:
    """A candidate's reasoning about one item, with the question it was asked and the units it is judged by."""

    id: str
    question: str
    text: str
    units: tuple[RubricUnit, ...]


@dataclass(frozen=True)
class Judged:
    """A verdict with what the judge gave as reason, or with why there is none (`problem`)."""

    verdict: UnitVerdict
    reason: str = ""
    problem: str = ""


def trace_text(raw: str) -> str:
    """What a model wrote, its analysis and its final words, without the marks of channels."""
    channels = split_channels(raw)
    return "\n\n".join(part for part in (channels.analysis, channels.final) if part)


def judge_traces(
    traces: Sequence[Trace], *, endpoint: Endpoint, kept: Path | None, name: str = "judge"
) -> dict[str, list[Judged]]:
    """The verdicts by the traces' ids, in the order of their units.

    A trace without words says nothing: presence 0 of every unit, without asking.

    Args:
        traces: whose ids differ.
        endpoint: the judge.
        kept: see `endpoint.served.opened`.
        name: under which requests are entered.

    Raises:
        InputError: two traces have one id, or a unit makes no claim.
        PausedError: the endpoint gave no answer, or a budget is spent; answers so far are kept.
    """
    if len({trace.id for trace in traces}) < len(traces):
        raise InputError("two traces have the same id", expected="one trace of each item")
    spoken = [trace for trace in traces if trace.text.strip()]
    asked = {_id(trace, unit): (trace, unit) for trace in spoken for unit in trace.units}
    presences = ask_all(
        (_question(id, *pair, "presence", endpoint) for id, pair in asked.items()),
        Presence,
        endpoint=endpoint,
        name=name,
        kept=kept,
    )
    there = [id for id in asked if (value := presences[id].value) is not None and value.presence]
    corrects = ask_all(
        (_question(id, *asked[id], "correctness", endpoint) for id in there),
        Correctness,
        endpoint=endpoint,
        name=name,
        kept=kept,
    )
    return {
        trace.id: [
            _judged(unit, presences[_id(trace, unit)], corrects.get(_id(trace, unit)))
            if trace.text.strip()
            else Judged(UnitVerdict(unit.axis, unit.id, 0), reason="there is no reasoning")
            for unit in trace.units
        ]
        for trace in traces
    }


def _id(trace: Trace, unit: RubricUnit) -> str:
    return f"{trace.id}~{unit.axis}~{unit.id}"


def _judged(unit: RubricUnit, presence: Answered[Presence], correct: Answered[Correctness] | None) -> Judged:
    if presence.value is None:
        return Judged(UnitVerdict(unit.axis, unit.id, None), problem=f"presence: {presence.problem}")
    found = presence.value.presence
    if correct is None:
        return Judged(UnitVerdict(unit.axis, unit.id, found), reason=presence.value.reason)
    if correct.value is None:
        return Judged(UnitVerdict(unit.axis, unit.id, found), problem=f"correctness: {correct.problem}")
    return Judged(UnitVerdict(unit.axis, unit.id, found, correct.value.correctness), reason=correct.value.reason)


def _question(id: str, trace: Trace, unit: RubricUnit, about: PromptName, endpoint: Endpoint) -> Question:
    asked = unit.presence_question if about == "presence" else unit.correctness_question
    if not unit.claim.strip():
        raise InputError(f"unit {unit.id} of item {trace.id} makes no claim", expected="a rubric unit with its claim")
    parts = [
        f"Question that the candidate was asked:\n{trace.question}",
        f"Statement of the reference ({unit.axis}):\n{unit.claim}",
        *([f"What to find out:\n{asked}"] if asked.strip() else []),
        f"Candidate's reasoning:\n<candidate>\n{trace.text}\n</candidate>",
    ]
    request = ChatRequest(
        (system_message(judge_prompt(about)), user_message("\n\n".join(parts))),
        max_tokens=endpoint.max_answer_tokens,
        extra=endpoint.extra,
    )
    return Question(id, request)
