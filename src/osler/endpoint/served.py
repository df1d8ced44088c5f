"""Endpoint: a model behind a server as a recipe names it, and how it is reached from one process of a run."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from osler.core.config import Config
from osler.core.files import sha256_bytes
from osler.core.settings import read_settings
from osler.endpoint.batch import RateLimit
from osler.endpoint.cache import ReplyCache
from osler.endpoint.client import Client, Retry
from osler.endpoint.ledger import Ledger, Price
from osler.endpoint.role import Role

_ANSWERS, _ACCOUNT, _PACE = "answers.sqlite", "account.sqlite", "pace"


class PriceConfig(Config):
    """Of a million tokens, in any currency."""

    million_in: NonNegativeFloat = 0.0
    million_out: NonNegativeFloat = 0.0


class EndpointConfig(Config):
    """A model behind an OpenAI-compatible server. Its key is read from OSLER_API_KEY and from nowhere else.

    url: such as `http://127.0.0.1:8000/v1`. model: its name there.
    max_tries: how often a request is sent that fails in passing, and how often an answer is asked for that is none.
    timeout_s: for one try. concurrency: requests at once, for each worker process.
    per_minute: requests a minute, all worker processes together; null sets no limit.
    max_cost, max_tokens: what one start of the run may spend; null sets no limit. price: needed for the first.
    max_answer_tokens: of one answer, reasoning included.
    cache: file of answers to share with other recipes; null keeps them below the output folder.
    extra: further fields of each request, such as `chat_template_kwargs`.
    """

    url: str = Field(pattern=r"^https?://[^\s/]+")
    model: str = Field(min_length=1)
    max_tries: PositiveInt = 3
    timeout_s: PositiveFloat = 120.0
    concurrency: PositiveInt = 4
    per_minute: PositiveFloat | None = None
    max_cost: PositiveFloat | None = None
    max_tokens: PositiveInt | None = None
    price: PriceConfig = PriceConfig()
    max_answer_tokens: PositiveInt = 512
    cache: str | None = None
    extra: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.max_cost is not None and self.price == PriceConfig():
            raise ValueError("max_cost needs the price of a million tokens: price: {million_in: ..., million_out: ...}")
        if find_spec("httpx2") is None:
            raise ValueError("an endpoint needs the package httpx2: pip install 'osler[endpoint]'")
        return self

    def plain(self) -> "Endpoint":
        """The same as plain values."""
        price = Price(self.price.million_in, self.price.million_out)
        return Endpoint(
            **{name: getattr(self, name) for name in type(self).model_fields if name != "price"}, price=price
        )


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """As `EndpointConfig`."""

    url: str
    model: str
    max_tries: int = 3
    timeout_s: float = 120.0
    concurrency: int = 4
    per_minute: float | None = None
    max_cost: float | None = None
    max_tokens: int | None = None
    price: Price = Price()
    max_answer_tokens: int = 512
    cache: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def opened(endpoint: Endpoint, *, name: str, kept: Path | None) -> Iterator[Role]:
    """The endpoint, ready to be asked by the threads of this process.

    Args:
        endpoint: the model.
        name: of the purpose, under which requests are entered.
        kept: the folder through which the processes of a run share answers, budget and pace; None shares nothing and
            keeps answers only where the endpoint names a cache.
    """
    answers = Path(endpoint.cache) if endpoint.cache else kept and kept / _ANSWERS
    with ExitStack() as stack:
        cache = stack.enter_context(closing(ReplyCache(answers))) if answers else None
        ledger = Ledger(max_cost=endpoint.max_cost, max_tokens=endpoint.max_tokens, path=kept and kept / _ACCOUNT)
        # One server's pace is not another's.
        pace = f"{_PACE}-{sha256_bytes(endpoint.url.encode())[:12]}.sqlite"
        rate = RateLimit(endpoint.per_minute, path=kept and kept / pace)
        stack.callback(ledger.close)
        stack.callback(rate.close)
        client = Client(
            endpoint.url,
            endpoint.model,
            key=read_settings().api_key,
            timeout_s=endpoint.timeout_s,
            retry=Retry(endpoint.max_tries),
            rate=rate,
        )
        yield Role(name, stack.enter_context(client), cache, ledger, endpoint.price)


def begin_asking(kept: Path) -> None:
    """Give a run that starts, or goes on, its whole budget; answers that are kept stay. Call it before any worker."""
    for name in (_ACCOUNT, _PACE):
        for path in kept.glob(f"{name}*"):
            path.unlink()


def asked_lines(kept: Path) -> list[str]:
    """What was asked since the start, a line for each purpose."""
    path = kept / _ACCOUNT
    if not path.is_file():
        return []
    with closing(Ledger(path=path)) as ledger:
        return [
            f"{name}: {used['requests']:,} questions asked, {used['cached']:,} answered before, {used['failed']:,} "
            f"without an answer; {used['tokens_in']:,} + {used['tokens_out']:,} tokens, cost {used['cost']:.4g}"
            for name, used in ledger.summary().items()
        ]
