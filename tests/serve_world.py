"""What the tests of the server share: an engine that says what it is told to, and an app around it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from osler.serve.app import make_app
from osler.serve.engine import Abilities, Alternative, Piece
from osler.serve.keys import SCOPES, Visitor
from osler.serve.limits import Limits

KEY = "osler_test_key"
WHO = {
    KEY: Visitor("test", frozenset(SCOPES)),
    "osler_chat_key": Visitor("chat", frozenset({"chat"})),
    "osler_study_key": Visitor("study", frozenset({"study"})),
}


@dataclass
class Saying:
    """An engine that writes `pieces`; it keeps what it was asked and how often it was left early."""

    pieces: list[str] = field(default_factory=lambda: ["<|channel|>final<|message|>", "two ", "lungs", "<|return|>"])
    model: str = "toy"
    model_sha256: str = "0" * 64
    abilities: Abilities = Abilities()
    tiling: object = None
    wait_s: float = 0.0
    trouble: str = ""
    asked: list = field(default_factory=list)
    num_left: int = 0
    num_active: int = 0
    finish: str = "stop"

    async def start(self):
        pass

    async def close(self):
        pass

    async def problem(self):
        return self.trouble

    async def answer(self, ask):
        self.asked.append(ask)
        self.num_active += 1
        done = False
        try:
            for number, text in enumerate(self.pieces, start=1):
                await asyncio.sleep(self.wait_s)
                tokens = ()
                if ask.top_logprobs is not None:
                    others = tuple(Alternative(f"o{n}", b"o", -2.0 - n) for n in range(ask.top_logprobs))
                    tokens = (Alternative(text, text.encode(), -0.5, others),)
                last = number == len(self.pieces)
                yield Piece(
                    text=text, tokens=tokens, finish=self.finish if last else "", tokens_in=7, tokens_out=number
                )
            done = True
        finally:
            self.num_active -= 1
            self.num_left += not done


UNHURRIED = Limits(burst=10_000, requests_per_minute=1e6)


class Served:
    """An app and a client that speaks to it without a socket."""

    def __init__(self, engine, *, limits=UNHURRIED, audit=None, routers=()):
        self.engine, self.events, self.lines = engine, [], []
        self.app = make_app(
            engine,
            who=WHO.get,
            limits=limits,
            audit=audit or self.events.extend,
            digest_key=b"site",
            routers=routers,
            say=self.lines.append,
        )

    @asynccontextmanager
    async def client(self):
        transport = httpx2.ASGITransport(self.app, raise_app_exceptions=True)
        client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        async with self.app.router.lifespan_context(self.app), client:
            yield client

    async def send(self, method, path, *, key=KEY, **kwargs):
        headers = {"authorization": f"Bearer {key}"} if key else {}
        headers |= kwargs.pop("headers", {})
        async with self.client() as client:
            return await client.request(method, path, headers=headers, **kwargs)

    def get(self, path, **kwargs):
        return asyncio.run(self.send("GET", path, **kwargs))

    def post(self, path, **kwargs):
        return asyncio.run(self.send("POST", path, **kwargs))
