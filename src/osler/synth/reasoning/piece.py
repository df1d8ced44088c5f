"""Piece: the cases of a piece through all steps; every case ends as a sample or as a drop with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from osler.curate.asking.record import write_asked
from osler.curate.drops import drop
from osler.endpoint.ask import Answered, Question, ask_all
from osler.endpoint.chat import ChatRequest, system_message, user_message
from osler.endpoint.served import Endpoint
from osler.synth.reasoning.case import Accepted, Case, Rejected, accepted
from osler.synth.reasoning.prompts import Prompt, read_prompt
from osler.synth.reasoning.rules import Rules
from osler.synth.reasoning.step import Step
from osler.synth.reasoning.steps import STEPS

Drop = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who is asked, and where what comes of it is kept.

    endpoints: by role. kept: the folder of answers, budget and pace. out: the output folder, for the table of answers.
    """

    endpoints: Mapping[str, Endpoint]
    kept: Path
    out: Path

    @cached_property
    def prompts(self) -> dict[str, Prompt]:
        """The instructions by step."""
        return {step.name: read_prompt(step.name) for step in STEPS}


def run_steps(cases: Sequence[Case], asking: Asking, rules: Rules) -> tuple[list[Accepted], list[Drop]]:
    """What is left of the cases after all steps, and a drop for each of the others.

    Raises:
        PausedError: an endpoint gave no answer or a budget is spent; answers so far are kept.
    """
    drops: list[Drop] = []
    for step in STEPS:
        cases, rejected = run_step(step, cases, asking=asking, rules=rules)
        drops += [drop(each.id, step.name, each.reason) for each in rejected]
    return [accepted(case) for case in cases], drops


def run_step(step: Step, cases: Sequence[Case], *, asking: Asking, rules: Rules) -> tuple[list[Case], list[Rejected]]:
    """The cases after one step, those that it does not concern among them, and the rejections."""
    endpoint, prompt = asking.endpoints[step.role], asking.prompts[step.name]
    requests = {
        case.id: [
            ChatRequest(
                (system_message(prompt.text), user_message(*parts)),
                max_tokens=endpoint.max_answer_tokens,
                extra=endpoint.extra,
            )
            for parts in step.ask(case, rules)
        ]
        for case in cases
        if step.applies(case, rules)
    }
    questions = [
        Question(f"{id}~{number}", request) for id, each in requests.items() for number, request in enumerate(each)
    ]
    answers: dict[str, Answered[Any]] = {}
    if questions:
        answers = ask_all(questions, step.answer, endpoint=endpoint, name=step.name, kept=asking.kept)
        write_asked(asking.out, answers, rule=step.name, model=endpoint.model, prompt_sha256=prompt.sha256)
    kept: list[Case] = []
    rejected: list[Rejected] = []
    for case in cases:
        if case.id not in requests:
            kept.append(case)
            continue
        found = [answers[f"{case.id}~{number}"] for number in range(len(requests[case.id]))]
        for outcome in _outcomes(step, case, found, rules):
            (kept if isinstance(outcome, Case) else rejected).append(outcome)  # type: ignore[arg-type]
    return kept, rejected


def _outcomes(step: Step, case: Case, found: list[Answered[Any]], rules: Rules) -> Sequence[Case | Rejected]:
    for answered in found:
        if answered.value is None:
            return [Rejected(case.id, answered.problem)]
    outcomes = step.take(case, [answered.value for answered in found], rules)
    if not outcomes:
        raise ValueError(f"step {step.name} lost {case.id}")
    return outcomes


def with_budget(endpoint: Endpoint, *, max_cost: float | None, max_tokens: int | None) -> Endpoint:
    """An endpoint under the budget of the whole run, which all roles share."""
    return replace(endpoint, max_cost=max_cost, max_tokens=max_tokens)
