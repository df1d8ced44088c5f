"""Instructions and conversations, as several sets publish them, to samples."""

import hashlib
from collections.abc import Iterable

from osler.datasets.conversations import ROLES
from osler.datasets.dataset import Row, Skip
from osler.datasets.traces import split_trace
from osler.schema.sample import Sample, Text, Turn, assistant, passage, user


def instructed(row: Row, *, no_input: str = "", tags: tuple[str, ...] = (), group: str = "") -> Sample | Skip:
    """A row of `instruction`, `input` and `output`: the first two are asked, the last is the answer.

    `no_input` is what stands in `input` where there is none. Marked reasoning in the output is taken apart.
    """
    parts = [str(row["instruction"] or "").strip(), str(row["input"] or "").strip()]
    asked = "\n\n".join(part for part in parts if part and part != no_input)
    return answered(asked, str(row["output"] or ""), tags=tags, group=group)


def answered(
    question: str, reply: str, *, reasoning: str = "", tags: tuple[str, ...] = (), group: str = ""
) -> Sample | Skip:
    """A question and a written reply, whose marked reasoning is taken apart; `reasoning` is published apart already."""
    question = question.strip()
    if not question:
        return Skip("the question is empty")
    if not reply or reply.isspace():
        return Skip("the answer is empty")
    parts = split_trace(reply)
    if isinstance(parts, Skip):
        return parts
    trace, final = parts
    return Sample(
        turns=(user(question),),
        answer=passage(final),
        reasoning=f"{reasoning.strip()}\n\n{trace}".strip() if trace else reasoning.strip(),
        task="instruction",
        tags=tags,
        group=group,
    )


def conversed(said: Iterable[tuple[str, str]], *, tags: tuple[str, ...] = (), group: str = "") -> Sample | Skip:
    """Who said what, in order: the last reply is the answer, all before it are turns.

    For words alone, whose marked reasoning is taken apart; talk about pictures is `conversations.conversation`'s.
    """
    turns: list[Turn] = []
    last: tuple[str, str] | None = None
    for speaker, words in said:
        role = ROLES.get(speaker)
        if role is None:
            return Skip(f"unknown speaker: {speaker!r}")
        if not words or words.isspace():
            return Skip(f"an empty turn: of the {role}")
        if last is not None:
            turns.append(assistant(last[1], last[0]))
            last = None
        if role == "assistant":
            parts = split_trace(words)
            if isinstance(parts, Skip):
                return parts
            last = parts
        else:
            turns.append(Turn(role=role, parts=(Text(text=words.strip()),)))
    if last is None or not turns or turns[-1].role != "user":
        return Skip("no answer: the conversation does not end with a question and a reply")
    return Sample(
        turns=tuple(turns),
        answer=passage(last[1]),
        reasoning=last[0],
        task="instruction",
        tags=tags,
        group=group,
    )


def group_of(name: str, text: str) -> str:
    """A group for all rows of dataset `name` with the same `text`, e.g. several replies to one question."""
    return f"{name}/{hashlib.blake2b(text.encode(), digest_size=8).hexdigest()}"
