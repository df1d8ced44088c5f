"""POST /v1/chat/completions."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from osler.serve.chat.answer import Delta, deltas
from osler.serve.chat.body import parse_body
from osler.serve.chat.reply import Form, event_stream, whole_answer
from osler.serve.chat.request import ChatWish, read_chat, without_files
from osler.serve.engine import Ask, Engine, Shown
from osler.serve.gate import GONE_STATUS
from osler.serve.needs import needs


def chat_routes() -> APIRouter:
    """The route of chats."""
    router = APIRouter()

    @router.post("/v1/chat/completions", dependencies=[Depends(needs("chat"))])
    async def complete(request: Request) -> Response:
        state = request.app.state
        state.admission.check()
        body = parse_body(await request.body(), request.headers.get("content-type", ""))
        engine = _engine(state, body.get("model"))
        wish = read_chat(body, limits=state.limits, abilities=engine.abilities, model=engine.model)
        del body
        return _Answering(request, wish, engine)

    return router


def _engine(state: Any, name: Any) -> Engine:
    """The engine of that name. The first one for a name that is none: it refuses that as it refuses every other."""
    found: Engine = state.engines.get(name, state.engine) if isinstance(name, str) else state.engine
    return found


class _Answering(Response):
    """Does the work of an answer and sends it; leaves both when the client has left."""

    def __init__(self, request: Request, wish: ChatWish, engine: Engine) -> None:
        super().__init__()
        self._request, self._wish, self._engine = request, wish, engine
        self._entered: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._request.app.state
        state.admission.enter()
        self._entered = time.monotonic()
        try:
            is_done = await _while_there(receive, lambda: self._work(scope, receive, send))
        finally:
            self._leave()
        if not is_done:
            state.meters.cancelled.inc()
            await self._request.state.trail.answered(GONE_STATUS)

    def _leave(self) -> None:
        """Make room, once; before the last words are sent, so that who has them may come again at once."""
        if self._entered is not None:
            self._request.app.state.admission.leave(time.monotonic() - self._entered)
            self._entered = None

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        state, trail = self._request.app.state, self._request.state.trail
        engine, wish = self._engine, self._wish
        if engine is not state.engine:
            trail.answering(engine.model, engine.model_sha256)
        pictures = await state.decoders.show(wish.files, engine.tiling)
        for words in wish.words():
            trail.prompt(words)
        for data in wish.files:
            trail.image(data)
        trail.count("images", len(pictures))
        wish = without_files(wish)
        self._wish = wish
        form = Form(self._request.state.request_id, engine.model, wish.top_logprobs is not None, wish.include_usage)
        ask = _ask(wish, pictures, self._request.state.visitor.who)
        # The disk and the model work side by side; no part of the answer leaves before the question is on record.
        asked = asyncio.ensure_future(trail.asked())
        parts = _after(asked, self._counted(deltas(engine, ask, wish.stop)))
        async with aclosing(parts):  # type: ignore[type-var]
            if wish.stream:
                trail.is_streamed = True
                await _send_events(event_stream(parts, form), send)
            else:
                await JSONResponse(await whole_answer(parts, form))(scope, receive, send)

    async def _counted(self, parts: Any) -> AsyncIterator[Delta]:
        """Enter what was read and written, however the answer ends."""
        state, trail = self._request.app.state, self._request.state.trail
        last = Delta()
        try:
            async with aclosing(parts):
                async for last in parts:
                    if last.finish:
                        trail.count("tokens_in", last.tokens_in)
                        trail.count("tokens_out", last.tokens_out)
                    yield last
        finally:
            self._leave()
            state.meters.tokens.labels("in").inc(last.tokens_in)
            state.meters.tokens.labels("out").inc(last.tokens_out)


def _ask(wish: ChatWish, pictures: tuple[Shown, ...], owner: str) -> Ask:
    return Ask(
        turns=wish.turns, pictures=pictures, max_tokens=wish.max_tokens, temperature=wish.temperature, top_p=wish.top_p,
        seed=secrets.randbits(63) if wish.seed is None else wish.seed, top_logprobs=wish.top_logprobs,
        reasoning=wish.reasoning, schema=wish.schema, owner=owner,
    )  # fmt: skip


async def _after(recorded: "asyncio.Future[None]", parts: AsyncIterator[Delta]) -> AsyncIterator[Delta]:
    """The parts, the first of them when `recorded` is done; its error in their place."""
    try:
        async with aclosing(parts):  # type: ignore[type-var]
            async for part in parts:
                if not recorded.done():
                    await asyncio.shield(recorded)
                recorded.result()
                yield part
    finally:
        await asyncio.wait([recorded])


async def _send_events(events: AsyncIterator[bytes], send: Send) -> None:
    # The first part is made before the answer begins, so that a request the engine refuses is an error, not a stream.
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    started = False
    async with aclosing(events) as lines:  # type: ignore[type-var]
        async for line in lines:
            if not started:
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                started = True
            await send({"type": "http.response.body", "body": line, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _while_there(receive: Receive, work: Callable[[], Awaitable[None]]) -> bool:
    """Do the work; give it up and return False when the client goes away first."""
    working = asyncio.ensure_future(work())
    watching = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return True
        return False
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
