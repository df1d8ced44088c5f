"""Requests in, replies out: what every engine that answers for a model has to offer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from osler.schema.sample import Turn


@dataclass(frozen=True)
class Request:
    """One question to a model.

    turns: ends with the user's question.
    images: the files' bytes, one for each media reference of the turns, in their order.
    max_new_tokens: where the reply is cut.
    reasoning: whether the model is to think before it answers.
    """

    item_id: str
    turns: tuple[Turn, ...]
    images: tuple[bytes, ...]
    max_new_tokens: int
    reasoning: bool = False


@dataclass(frozen=True)
class Reply:
    """What came back.

    raw: everything the model wrote, control tokens included where the engine shows them.
    finished: the model stopped by itself; False where it was cut at `max_new_tokens`.
    error: why there is no answer to this request; empty where there is one.
    """

    raw: str
    tokens_in: int
    tokens_out: int
    latency_ms: float
    finished: bool
    error: str = ""


class Backend(Protocol):
    """An engine that holds one model. `name` says which engine and which precision, for the record."""

    name: str

    def generate(self, requests: Sequence[Request]) -> list[Reply]:
        """One reply a request, in order. Greedy: the same requests give the same replies."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """What an engine offers besides, if it takes single requests and answers many at a time."""

    def stream(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """Each request's number with its reply, as each is done. Requests are taken only a little ahead."""
        ...
