"""Trail: tells the audit of each request, before it is answered; what cannot be written is not answered."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime

from osler.serve.event import Audit, Event, Phase
from osler.serve.refusal import Refusal


class Recorder:
    """Writes events, those of many requests at once, in a thread of its own.

    Args:
        audit: what writes them.
        digest_key: the site's key for digests.
        model, bundle_sha256: entered in every event.
    """

    def __init__(self, audit: Audit, *, digest_key: bytes, model: str, bundle_sha256: str) -> None:
        self._audit, self._key, self._model, self._bundle = audit, digest_key, model, bundle_sha256
        self._waiting: list[tuple[Event, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self.is_broken = False

    def digest(self, data: bytes) -> str:
        """HMAC-SHA256 in hexadecimal."""
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()

    async def write(self, event: Event) -> None:
        """Return when the event is written; events are written in the order of these calls.

        Raises:
            Refusal: 503 where it could not be written.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        # A request that is given up must not take back what others wait for, nor its own line.
        await asyncio.shield(written)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                error: Exception | None = None
                try:
                    await asyncio.to_thread(self._audit, [event for event, _ in batch])
                except Exception as caught:  # noqa: BLE001 - whatever it is, an unrecorded request gets no answer
                    error = caught
                self.is_broken = error is not None
                for _, written in batch:
                    if not written.done():
                        written.set_exception(_closed(error)) if error else written.set_result(None)
        finally:
            self._writing = None

    def enter(self, event: Event) -> None:
        """Write an event of a thread that is no request's; return when it is written. Raises what kept it from that."""
        self._audit([event])

    def event(self, phase: Phase, *, who: str, route: str, request_id: str) -> Event:
        """An event of now, without digests."""
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Event(
            phase=phase, who=who, when=when, route=route, request_id=request_id, model=self._model,
            bundle_sha256=self._bundle,
        )  # fmt: skip

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await self._writing


def _closed(error: Exception) -> Refusal:
    refusal = Refusal(503, "the audit trail is closed", code="audit_unavailable", retry_after_s=5)
    refusal.__cause__ = error
    return refusal


class Trail:
    """What one request leaves behind. Handlers reach it as `request.state.trail`.

    A handler that hands work to the model says what is asked (`prompt`, `image`) and then `await trail.asked()`. The
    gate writes `answered` for every request, with its status: before the first byte of the answer, or, where `asked`
    was written and the answer is streamed, after the last.
    """

    def __init__(self, recorder: Recorder, *, who: str, request_id: str, route: Callable[[], str]) -> None:
        self._recorder, self._who, self._id, self._route = recorder, who, request_id, route
        self._prompt = hashlib.sha256()
        self._has_prompt = False
        self._images: list[str] = []
        self._counts: dict[str, int] = {}
        self._weights: dict[str, str] = {}
        self.was_asked = self.was_answered = False
        self.is_streamed = False

    def answering(self, model: str, bundle_sha256: str) -> None:
        """Another model answers than the recorder was made with."""
        self._weights = {"model": model, "bundle_sha256": bundle_sha256}

    def prompt(self, text: str) -> None:
        """Words that were asked; several calls are one prompt."""
        self._prompt.update(text.encode("utf-8", errors="replace") + b"\0")
        self._has_prompt = True

    def image(self, data: bytes) -> None:
        """A file that was shown."""
        self._images.append(self._recorder.digest(data))

    def count(self, name: str, number: int) -> None:
        """Enter a number, such as `tokens_out`."""
        self._counts[name] = number

    async def asked(self) -> None:
        """Write that work begins. Raises Refusal (503) where that cannot be written."""
        await self._write("asked", 0)
        self.was_asked = True

    async def answered(self, status: int) -> None:
        """Write what came of it, once."""
        if not self.was_answered:
            self.was_answered = True
            await self._write("answered" if status < 400 else "refused", status)

    async def _write(self, phase: Phase, status: int) -> None:
        bare = self._recorder.event(phase, who=self._who, route=self._route(), request_id=self._id)
        prompt = self._recorder.digest(self._prompt.digest()) if self._has_prompt else ""
        fields = {"prompt_hmac": prompt, "image_hmacs": tuple(self._images), "status": status}
        fields |= self._weights
        await self._recorder.write(Event(**{**vars(bare), **fields, "counts": dict(self._counts)}))
