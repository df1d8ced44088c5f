"""Conversations: turns as instruction sets publish them, with their pictures where the words mark them."""

from collections.abc import Sequence
from typing import Any, Literal

from osler.datasets.dataset import Skip
from osler.schema.media import MediaRef
from osler.schema.sample import Answer, Turn, assistant, passage, user

MARK = "<image>"
ROLES: dict[str, Literal["user", "assistant", "system"]] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}
"""What speakers are called in published rows, and the role of each."""


def conversation(
    messages: object, images: Sequence[MediaRef], *, marked: bool = True
) -> tuple[tuple[Turn, ...], Answer] | Skip:
    """The turns up to the last question, and the last answer; or why a row is no conversation.

    Args:
        messages: `[{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]`, or with `role` and `content`.
            A system turn may come first; then the two take turns.
        images: the row's pictures, of which each takes the place of one `<image>` in the user's words.
        marked: pictures without any mark are an error; False puts them before the user's first words.
    """
    spoken = _spoken(messages)
    if isinstance(spoken, Skip):
        return spoken
    marks = sum(words.count(MARK) for speaker, words in spoken if speaker == "user")
    if not marks and images and marked:
        return Skip(f"no image mark: the words do not say where {len(images)} pictures belong")
    if marks and marks != len(images):
        return Skip(f"image marks do not match: {marks} marks for {len(images)} pictures")
    left = list(images)
    turns: list[Turn] = []
    for speaker, words in spoken[:-1]:
        if speaker != "user":
            turns.append(assistant(words.strip()) if speaker == "assistant" else _system(words))
            continue
        first = [] if marks else left
        turns.append(user(*first, *_parts(words, left)))
        left = left if marks else []
    return tuple(turns), passage(spoken[-1][1].strip())


def _spoken(messages: object) -> list[tuple[str, str]] | Skip:
    """Speaker and words of each turn, in an order that a conversation can have."""
    if not isinstance(messages, list) or not messages:
        return Skip("no conversation: a row without turns")
    spoken: list[tuple[str, str]] = []
    for number, message in enumerate(messages, start=1):
        name, words = _fields(message)
        if name not in ROLES:
            return Skip(f"unknown speaker: turn {number} is of {name!r}")
        speaker = ROLES[name]
        if not words.replace(MARK, "").strip():
            return Skip(f"empty turn: turn {number}, the {speaker}'s")
        if speaker != "user" and MARK in words:
            return Skip(f"image mark outside a question: turn {number}, the {speaker}'s")
        if not _may_follow(speaker, spoken[-1][0] if spoken else ""):
            return Skip(f"speakers out of turn: turn {number} is the {speaker}'s")
        spoken.append((speaker, words))
    if spoken[-1][0] != "assistant":
        return Skip(f"no answer: the last turn is the {spoken[-1][0]}'s")
    return spoken


def _fields(message: Any) -> tuple[str, str]:
    if not isinstance(message, dict):
        return "", ""
    name = message["from"] if "from" in message else message.get("role")
    words = message["value"] if "value" in message else message.get("content")
    return str(name), words if isinstance(words, str) else ""


def _may_follow(speaker: str, previous: str) -> bool:
    return previous in {"system": ("",), "user": ("", "system", "assistant"), "assistant": ("user",)}[speaker]


def _parts(words: str, left: list[MediaRef]) -> list[MediaRef | str]:
    """Words and pictures in order; each mark takes the first picture from `left`."""
    parts: list[MediaRef | str] = []
    for number, piece in enumerate(words.split(MARK)):
        if number:
            parts.append(left.pop(0))
        if piece.strip():
            parts.append(piece.strip())
    return parts


def _system(words: str) -> Turn:
    return user(words.strip()).model_copy(update={"role": "system"})
