"""Role: a model with a purpose: asked through a cache and a ledger, its answers read into a type."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from osler.core.config import first_problem
from osler.endpoint.cache import ReplyCache
from osler.endpoint.chat import ChatReply, ChatRequest, EndpointError, Message, user_message
from osler.endpoint.client import Client
from osler.endpoint.ledger import Ledger, Price

T = TypeVar("T", bound=BaseModel)

_FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Typed(Generic[T]):
    """An answer as a value; or, where `value` is None, why it could not be read.

    reply: the last one. tries: requests it took; tokens_in, tokens_out: of all of them, whoever answered them when.
    """

    value: T | None
    reply: ChatReply
    tries: int
    problem: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class Role:
    """Asks one model for one purpose.

    Args:
        name: of the purpose, in the ledger.
        client: of the model.
        cache: answers on disk; None asks afresh each time.
        ledger: where requests are entered.
        price: of its tokens.
    """

    name: str
    client: Client
    cache: ReplyCache | None = None
    ledger: Ledger = field(default_factory=Ledger)
    price: Price = Price()

    def ask(self, request: ChatRequest) -> ChatReply:
        """The answer, from the cache where it is there.

        Raises:
            EndpointError: there is none, or the budget is spent.
        """
        key = request.key(self.client.model)
        known = self.cache.get(key) if self.cache is not None else None
        if known is not None:
            self.ledger.record(self.name, known, price=self.price, cached=True)
            return known
        self.ledger.check(self.name)
        try:
            reply = self.client.complete(request)
        except EndpointError:
            self.ledger.record_failure(self.name)
            raise
        self.ledger.record(self.name, reply, price=self.price, cached=False)
        # One that was cut at max_tokens is an answer too: a larger limit makes another key.
        if self.cache is not None:
            self.cache.put(key, reply)
        return reply

    def ask_typed(self, request: ChatRequest, kind: type[T], *, max_tries: int = 3) -> Typed[T]:
        """The answer as a `kind`: JSON, checked. Where it is not, the model is told why and asked again.

        Nothing is repaired: an answer that never becomes valid has the value None and its problem.
        """
        request = replace(request, schema=kind.model_json_schema())
        problem, tokens_in, tokens_out = "", 0, 0
        for number in range(1, max_tries + 1):
            reply = self.ask(request)
            tokens_in, tokens_out = tokens_in + reply.tokens_in, tokens_out + reply.tokens_out
            try:
                value = kind.model_validate(json.loads(_unfenced(reply.text)))
                return Typed(value, reply, number, "", tokens_in, tokens_out)
            except ValidationError as error:
                problem = first_problem(error, whole="answer")
            except (ValueError, RecursionError) as error:
                problem = f"no JSON: {error}"
            again = f"This could not be read ({problem}). Reply with the JSON object alone."
            request = replace(
                request, messages=(*request.messages, Message("assistant", (reply.text,)), user_message(again))
            )
        return Typed(None, reply, max_tries, problem, tokens_in, tokens_out)


def _unfenced(text: str) -> str:
    """The inside of a fenced code block, in which many models wrap all JSON."""
    fenced = _FENCED.match(text)
    return fenced.group(1) if fenced else text
