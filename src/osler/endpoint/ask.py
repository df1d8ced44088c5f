"""Ask: many questions to one endpoint, each once, with typed answers; trouble with the endpoint pauses the run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from osler.core.errors import OslerError
from osler.endpoint.batch import map_concurrent
from osler.endpoint.chat import ChatRequest, EndpointError
from osler.endpoint.role import Role
from osler.endpoint.served import Endpoint, opened

T = TypeVar("T", bound=BaseModel)
# The server does not take this question: too long, a picture it cannot read. Others it may.
_ITS_OWN = {400, 413, 415, 422}


class PausedError(OslerError):
    """An endpoint gave no answer. What is finished stays, and the same command goes on."""


@dataclass(frozen=True)
class Question:
    """What is asked; `id` names what it is about."""

    id: str
    request: ChatRequest


@dataclass(frozen=True)
class Answered(Generic[T]):
    """An answer; where `value` is None, `problem` says why there is none, its kind before the first colon.

    tries, tokens_in, tokens_out: what it took in all, whenever it was asked for.
    """

    value: T | None
    problem: str = ""
    tries: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


def ask_all(
    questions: Iterable[Question], kind: type[T], *, endpoint: Endpoint, name: str, kept: Path | None
) -> dict[str, Answered[T]]:
    """The answers by the questions' ids. Two ids with the same question share one answer.

    Each answer is kept as it comes, so that a run which stops here and starts again asks only for the others. That the
    server refuses one question is that question's problem; that it has refused all so far is the endpoint's.

    Args:
        questions: taken only a little ahead of the answers.
        kind: of the answers.
        endpoint: who is asked.
        name: of the purpose, under which requests are entered.
        kept: see `served.opened`.

    Raises:
        PausedError: a question got no answer: time-out, no connection, error of the server, a spent budget.
    """
    owners: dict[str, list[str]] = {}
    answers: dict[str, Answered[T]] = {}
    with opened(endpoint, name=name, kept=kept) as role:

        def work(item: tuple[str, Question]) -> Answered[T]:
            return _ask(item[1], kind, role, max_tries=endpoint.max_tries)

        for (key, _), answer in map_concurrent(
            work, _each_once(questions, owners, endpoint.model), num_threads=endpoint.concurrency
        ):
            answers[key] = answer
        refused = [answer for answer in answers.values() if not answer.tries]
        was_answered = len(refused) < len(answers) or (role.cache is not None and len(role.cache) > 0)
    if refused and not was_answered:
        raise PausedError(_paused("the endpoint refuses every question so far", refused[0].problem))
    return {id: answers[key] for key, ids in owners.items() for id in ids}


def _each_once(
    questions: Iterable[Question], owners: dict[str, list[str]], model: str
) -> Iterator[tuple[str, Question]]:
    """The questions that are not the same as an earlier one, with their keys; `owners` has the ids of each key."""
    for question in questions:
        key = question.request.key(model)
        owners.setdefault(key, []).append(question.id)
        if len(owners[key]) == 1:
            yield key, question


def _ask(question: Question, kind: type[T], role: Role, *, max_tries: int) -> Answered[T]:
    try:
        typed = role.ask_typed(question.request, kind, max_tries=max_tries)
    except EndpointError as error:
        if error.kind == "refused" and error.status in _ITS_OWN:
            return Answered(None, f"question refused: {error}")
        raise PausedError(_paused(f"no answer about {question.id}", str(error))) from error
    problem = f"no readable answer: {typed.problem}" if typed.value is None else ""
    return Answered(typed.value, problem, typed.tries, typed.tokens_in, typed.tokens_out)


def _paused(what: str, why: str) -> str:
    return (
        f"paused: {what}: {why}. What is finished and all answers so far are kept: run the same command again to go "
        "on, with its whole budget anew"
    )
