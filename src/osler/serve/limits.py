"""Limits: how much one request may ask for, how often one key may ask, and how many may wait."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from osler.serve.refusal import Refusal

_FULL_AGAIN_S = 60.0
_FIRST_GUESS_S = 1.0
_MEMORY = 0.9
_LONGEST_WAIT = 4.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused.

    max_body_bytes: of a request, counted while it is read. body_bytes_below: another number for paths that begin so.
    body_timeout_s: how long a body may take to arrive.
    max_images, max_pixels: of all images of a request together, known from their headers before a pixel is decoded.
    num_decoders, decode_timeout_s: processes that decode images; how long one image may take.
    max_messages, max_tokens: of a request; of its answer.
    default_max_tokens: of an answer where the request does not say.
    requests_per_minute, burst: of one key; how many of them at once.
    max_admitted: chats being answered or waiting, of all keys together: the engine's slots and few more, since each
        that waits, waits for about as long as an answer takes.
    """

    max_body_bytes: int = 64 << 20
    body_bytes_below: Mapping[str, int] = field(default_factory=dict)
    body_timeout_s: float = 30.0
    max_images: int = 8
    max_pixels: int = 40_000_000
    num_decoders: int = 2
    decode_timeout_s: float = 5.0
    max_messages: int = 200
    max_tokens: int = 4096
    default_max_tokens: int = 1024
    requests_per_minute: float = 120.0
    burst: int = 20
    max_admitted: int = 18

    def body_bytes(self, path: str) -> int:
        """How many bytes a request to `path` may have."""
        found = [prefix for prefix in self.body_bytes_below if path.startswith(prefix)]
        return self.body_bytes_below[max(found, key=len)] if found else self.max_body_bytes


class Pace:
    """A bucket a name, that holds `burst` requests and fills at an even rate.

    Args:
        per_minute: how many requests it gains a minute.
        burst: how many it holds.
        clock: seconds that only grow; tests pass their own.
    """

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = per_minute / 60, float(burst), clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> float:
        """Take one request of `name`'s; returns 0, or after how many seconds there is one."""
        now = self._clock()
        if len(self._buckets) > 1024:
            self._forget_full(now)
        held, since = self._buckets.get(name, (self._burst, now))
        held = min(self._burst, held + (now - since) * self._rate)
        enough = held >= 1
        self._buckets[name] = (held - 1 if enough else held, now)
        return 0.0 if enough else (1 - held) / self._rate

    def _forget_full(self, now: float) -> None:
        fills_s = max(_FULL_AGAIN_S, self._burst / self._rate)
        self._buckets = {name: bucket for name, bucket in self._buckets.items() if now - bucket[1] < fills_s}


class Admission:
    """Lets at most `limit` chats in; the others are told when to come again, so that those inside are answered soon."""

    def __init__(self, limit: int) -> None:
        self._limit, self._lock = limit, threading.Lock()
        self._usual_s, self._random = _FIRST_GUESS_S, random.SystemRandom()
        self.num_inside = 0

    def check(self) -> None:
        """As `enter`, before there is anything to let in: a house that is full reads no letters."""
        with self._lock:
            self._refuse_if_full()

    def enter(self) -> None:
        """Raises Refusal (503) where the house is full."""
        with self._lock:
            self._refuse_if_full()
            self.num_inside += 1

    def _refuse_if_full(self) -> None:
        if self.num_inside >= self._limit:
            # Spread over a while: told the same moment, all who were refused would come back in it.
            wait_s = self._usual_s * self._random.uniform(1, _LONGEST_WAIT)
            raise Refusal(503, "too many requests are waiting", code="overloaded", retry_after_s=wait_s)

    def leave(self, took_s: float) -> None:
        """One is answered or gone; how long it took says how long the next will wait."""
        with self._lock:
            self.num_inside -= 1
            self._usual_s = _MEMORY * self._usual_s + (1 - _MEMORY) * took_s
