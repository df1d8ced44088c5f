"""Gate: every request passes here. It wants a key, keeps to limits, tells the audit, and lets no error text out.

It stands around the whole application, so that it holds for every router, and for paths that no route serves.
"""

import asyncio
import base64
import binascii
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from osler.core.errors import InputError
from osler.serve.keys import Visitor
from osler.serve.limits import Limits, Pace
from osler.serve.meters import Meters
from osler.serve.refusal import Refusal
from osler.serve.trail import Recorder, Trail

OPEN_PATH = "/health"
GONE_STATUS = 499
"""For the log and the audit: the client went away. The number is nginx's."""
_RECORDED_A_MINUTE = 60
# Nothing was done for these: no valid key, too often, too full. They may come in any number.
_TURNED_AWAY = {401, 429, 503}
_LINGER_S = 1.0
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass
class Doors:
    """What the gate asks before it opens.

    who: the visitor of a key or token; None for nobody.
    say: one line about a request, without a word of it.
    is_closing: new requests are refused, those inside are answered.
    """

    who: Callable[[str], Visitor | None]
    limits: Limits
    recorder: Recorder
    meters: Meters
    say: Callable[[str], None] = lambda line: None
    is_closing: bool = False
    pace: Pace = field(init=False)
    turned_away: Pace = field(init=False)
    num_unrecorded: int = 0

    def __post_init__(self) -> None:
        self.pace = Pace(self.limits.requests_per_minute, self.limits.burst)
        self.turned_away = Pace(_RECORDED_A_MINUTE, _RECORDED_A_MINUTE)


class Gate:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, doors: Doors) -> None:
        self._app, self._doors = app, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _Visit(self._app, self._doors, scope, receive, send).serve()
        # Nothing here speaks over a websocket: returning refuses it.


class _Visit:
    """One request on its way in and its answer on the way out."""

    def __init__(self, app: ASGIApp, doors: Doors, scope: Scope, receive: Receive, send: Send) -> None:
        self._app, self._doors, self._scope = app, doors, scope
        self._receive, self._send = receive, send
        self._id, self._started = secrets.token_hex(8), time.monotonic()
        self._status, self._num_bytes, self._body_done = 0, 0, False
        self._limit = doors.limits.body_bytes(scope["path"])
        self._refusal: Refusal | None = None
        self._trail: Trail | None = None
        self._who = ""

    async def serve(self) -> None:
        """Answer it, whatever happens."""
        try:
            if self._scope["path"] != OPEN_PATH:
                await self._admit()
            await self._app(self._scope, self._read, self._answer)
            if self._trail and self._trail.is_streamed:
                await self._trail.answered(self._status)
        except Refusal as refusal:
            await self._refuse(refusal)
        except ClientDisconnect:
            await self._gone()
        except Exception as error:  # noqa: BLE001 - its text may hold what the client sent, so nobody sees it
            self._doors.say(f"{self._id} failed: {type(error).__name__}")
            await self._refuse(Refusal(500, "the server failed at this request", code="internal_error"))
        finally:
            self._note()

    async def _admit(self) -> None:
        if self._doors.is_closing:
            raise Refusal(503, "the server is closing", code="closing", retry_after_s=10)
        _refuse_other_sites(self._scope)
        visitor = self._visitor()
        if visitor is None:
            raise Refusal(401, "a valid API key is needed: Authorization: Bearer KEY", code="invalid_api_key")
        self._who = visitor.who
        wait_s = self._doors.pace.take(visitor.who)
        if wait_s:
            raise Refusal(429, "this key asks too often", code="rate_limit_exceeded", retry_after_s=wait_s)
        self._trail = Trail(self._doors.recorder, who=visitor.who, request_id=self._id, route=self._route)
        self._scope.setdefault("state", {}).update(visitor=visitor, trail=self._trail, request_id=self._id)

    def _visitor(self) -> Visitor | None:
        key = _shown_key(self._scope)
        try:
            return self._doors.who(key) if key else None
        except InputError as error:
            self._doors.say(f"keys cannot be read: {error}")
            raise Refusal(503, "keys cannot be checked now", code="keys_unavailable", retry_after_s=5) from error

    async def _record_turned_away(self, status: int) -> None:
        """A flood must not fill the disk: some are entered one by one, the rest as a number."""
        doors = self._doors
        if doors.turned_away.take(self._who):
            doors.num_unrecorded += 1
            return
        bare = doors.recorder.event("refused", who=self._who, route=self._route(), request_id=self._id)
        counts = {"unrecorded": doors.num_unrecorded} if doors.num_unrecorded else {}
        doors.num_unrecorded = 0
        await doors.recorder.write(type(bare)(**{**vars(bare), "status": status, "counts": counts}))

    def _route(self) -> str:
        """The pattern that matched, never the path itself: that may hold anything."""
        found = getattr(self._scope.get("route"), "path", "?")
        return f"{_method(self._scope)} {found}"

    async def _read(self) -> Message:
        """The next part of the body, counted; once it is complete, whether the client is still there."""
        if self._body_done:
            return await self._receive()
        declared = dict(self._scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            raise self._too_large()
        left_s = self._started + self._doors.limits.body_timeout_s - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(left_s, 0))
        except TimeoutError as error:
            self._refusal = Refusal(408, "the body took too long to arrive", code="body_timeout")
            raise self._refusal from error
        self._num_bytes += len(message.get("body", b""))
        if self._num_bytes > self._limit:
            raise self._too_large()
        self._body_done = not message.get("more_body", False)
        return message

    def _too_large(self) -> Refusal:
        self._refusal = Refusal(413, f"the body exceeds {self._limit} bytes", code="body_too_large")
        return self._refusal

    async def _answer(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            # A framework may have turned our refusal to read on into an error of its own.
            if self._refusal is not None:
                raise self._refusal
            if self._trail and not (self._trail.is_streamed and self._trail.was_asked):
                await self._trail.answered(message["status"])
            self._status = message["status"]
            given = [(name.lower(), value) for name, value in message.get("headers", [])]
            names = {name for name, _ in given}
            ours = {**_HEADERS, "x-request-id": self._id}
            added = [(name.encode(), value.encode()) for name, value in ours.items() if name.encode() not in names]
            message = {**message, "headers": [*given, *added]}
        await self._send(message)

    async def _gone(self) -> None:
        """The client left before its request was whole; nobody is there to be answered."""
        self._status = GONE_STATUS
        if self._trail:
            with suppress(Refusal):
                await self._trail.answered(GONE_STATUS)

    async def _refuse(self, refusal: Refusal) -> None:
        self._doors.meters.refused.labels(refusal.code).inc()
        if self._status:
            return  # the answer has begun; the server cuts the connection, and the client sees that it is not whole
        try:
            if self._trail and (self._trail.was_asked or refusal.status not in _TURNED_AWAY):
                await self._trail.answered(refusal.status)
            elif refusal.status in _TURNED_AWAY:
                await self._record_turned_away(refusal.status)
        except Refusal as unrecorded:
            refusal = unrecorded
        self._status = refusal.status
        await self._discard()
        data = json.dumps(refusal.body()).encode()
        close = {} if self._body_done else {"connection": "close"}
        own = {"content-type": "application/json", "content-length": str(len(data)), "x-request-id": self._id}
        headers = {**_HEADERS, **own, **close, **{k.lower(): v for k, v in refusal.headers().items()}}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            await self._send({"type": "http.response.start", "status": refusal.status, "headers": raw})
            await self._send({"type": "http.response.body", "body": data})
        except OSError:
            return  # nobody is there to be refused

    async def _discard(self) -> None:
        """Take the rest of the body, for a moment, and drop it.

        A connection that is closed with bytes unread is reset, and the reply is lost on its way: RFC 9112, section 9.6.
        """
        end = time.monotonic() + _LINGER_S
        while not self._body_done and self._num_bytes <= self._limit and (left_s := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left_s)
            except TimeoutError:
                return
            self._num_bytes += len(message.get("body", b""))
            self._body_done = message["type"] == "http.disconnect" or not message.get("more_body", False)

    def _note(self) -> None:
        if self._scope["path"] == OPEN_PATH:
            return
        took_s = time.monotonic() - self._started
        self._doors.meters.requests.labels(self._route(), str(self._status)).inc()
        self._doors.meters.seconds.labels(self._route()).observe(took_s)
        self._doors.say(f"{self._id} {self._route()} {self._status} {1000 * took_s:.0f} ms {self._num_bytes} bytes in")


def _method(scope: Scope) -> str:
    known = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "?"


def _shown_key(scope: Scope) -> str:
    """The bearer token, or the password of HTTP's basic form: a browser asks for it and keeps it to this origin."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        return ""
    form, _, rest = values[0].decode("latin-1").partition(" ")
    if form.lower() == "bearer":
        return str(rest.strip())
    if form.lower() == "basic":
        try:
            pair = base64.b64decode(rest.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return ""
        return str(pair.partition(":")[2])
    return ""


def _refuse_other_sites(scope: Scope) -> None:
    """A browser that holds a key must not lend it to a page of another origin."""
    headers: dict[bytes, Any] = dict(scope["headers"])
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", b"same-origin")
    host = headers.get(b"host", b"").decode("latin-1")
    is_foreign = origin is not None and origin.decode("latin-1").partition("://")[2] != host
    if is_foreign or site not in {b"same-origin", b"none"}:
        raise Refusal(403, "requests of pages of other origins are refused", code="cross_origin")
