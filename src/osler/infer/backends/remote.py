"""A model behind one or several OpenAI-compatible endpoints: greedy, many questions at a time, dead ones set aside."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.endpoint.batch import RateLimit
from osler.endpoint.chat import ChatReply, ChatRequest, EndpointError, Message, Picture, user_message
from osler.endpoint.client import Client, Retry
from osler.infer.generator import Reply, Request
from osler.infer.pool import Pool, Worker
from osler.media.image import encode_png8
from osler.media.plain import plain_file
from osler.schema.sample import Text

_PROBE = ChatRequest((user_message("Reply with one word."),), max_tokens=1)
_PROBE_PX = 64


class RemoteBackend:
    """Answers requests over HTTP. All endpoints must serve the same model; work goes to whichever is free.

    Args:
        clients: one an endpoint.
        concurrency: requests under way at one endpoint.
        requests_per_minute: to one endpoint; None sets no limit.
        extra: further fields of each request's body.
        warn: is told of an endpoint that is set aside.
        stopped: set when the backend is closed; the clients' waits are to end with it.
    """

    name = "remote"

    def __init__(
        self,
        clients: Sequence[Client],
        *,
        concurrency: int,
        requests_per_minute: float | None = None,
        extra: Mapping[str, Any] | None = None,
        warn: Callable[[str], None] = lambda message: None,
        stopped: threading.Event | None = None,
    ) -> None:
        self._clients = {client.url: client for client in clients}
        self._extra = dict(extra or {})
        self._stopped = stopped or threading.Event()
        self._concurrency = concurrency
        workers = [self._worker(client, RateLimit(requests_per_minute)) for client in clients]
        self._pool: Pool[Request, Reply] = Pool(
            workers, num_threads=concurrency, warn=warn, patience=max(8, 2 * concurrency)
        )

    @property
    def record(self) -> dict[str, Any]:
        """How answers are decoded, as far as a client can tell."""
        return {
            "served_models": sorted({client.model for client in self._clients.values()}),
            "num_endpoints": len(self._clients),
            "concurrency": self._concurrency,
            "temperature": 0.0,
            "seed": 0,
            "extra": self._extra,
        }

    def check(self, *, vision: bool) -> None:
        """Ask each endpoint what it serves, and with `vision` whether it takes an image, before the first question.

        One that does not answer is set aside, if another does.

        Raises:
            InputError: none answers; one refuses the key, has no such model or takes no images.
        """
        silent: InputError | None = None
        for worker in self._pool.workers:
            client = self._clients[worker.name]
            try:
                client.check()
            except InputError as error:
                if not (isinstance(error.__cause__, EndpointError) and error.__cause__.may_pass):
                    raise
                silent = error
                self._pool.set_aside(worker, str(error.__cause__))
        if silent is not None and all(worker.gone for worker in self._pool.workers):
            raise silent
        if vision:
            picture = Picture(encode_png8(np.full((_PROBE_PX, _PROBE_PX), 128, np.uint8)), "image/png")
            for worker in self._pool.workers:
                if not worker.gone:
                    self._clients[worker.name].check_vision(picture)

    def stream(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """Each request's number with its reply, as each is done; one that no endpoint answers is an error.

        Raises:
            OslerError: no endpoint is left.
        """
        with closing(self._pool.run(requests)) as outcomes:  # type: ignore[type-var]
            for number, outcome in outcomes:
                if isinstance(outcome, EndpointError):
                    yield number, Reply("", 0, 0, 0.0, finished=False, error=f"{outcome.kind}: {outcome}")
                else:
                    yield number, outcome

    def generate(self, requests: Sequence[Request]) -> list[Reply]:
        """One reply a request, in order."""
        replies = dict(self.stream(requests))
        return [replies[number] for number in range(len(requests))]

    def close(self) -> None:
        """Give up what is under way and close the connections."""
        self._stopped.set()
        for client in self._clients.values():
            client.close()

    def _worker(self, client: Client, limit: RateLimit) -> Worker[Request, Reply]:
        def ask(request: Request) -> Reply:
            try:
                chat = chat_request(request, extra=self._extra)
            except InputError as error:
                raise EndpointError(str(error), kind="refused") from error
            limit.wait()
            if self._stopped.is_set():
                raise EndpointError("the run was stopped", kind="refused")
            return read_chat(client.complete(chat))

        return Worker(client.url, ask, lambda: client.complete(_PROBE))


def chat_request(request: Request, *, extra: Mapping[str, Any]) -> ChatRequest:
    """The request as an endpoint takes it: greedy, with its images as files that every server shows alike.

    Raises:
        InputError: an image cannot be shown.
    """
    images = iter(request.images)
    messages = tuple(
        Message(
            turn.role,
            tuple(
                part.text if isinstance(part, Text) else Picture(*plain_file(next(images), part.media))
                for part in turn.parts
            ),
        )
        for turn in request.turns
    )
    return ChatRequest(messages, max_tokens=request.max_new_tokens, temperature=0.0, seed=0, extra=extra)


def read_chat(reply: ChatReply) -> Reply:
    """The reply with its channels in one text: reasoning that the server keeps apart stands before the final words.

    Raises:
        EndpointError: the server says that it broke off.
    """
    if reply.finish in {"abort", "error"}:
        raise EndpointError(f"the endpoint ended its reply with {reply.finish!r}", kind="nonsense")
    # Marks inside the reasoning are its author's words; the server has already found where it ends.
    reasoning = reply.reasoning.replace("<|", "< |").replace("</think>", "< /think>")
    return Reply(
        raw=f"<think>{reasoning}</think>{reply.text}" if reasoning else reply.text,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        latency_ms=reply.latency_ms,
        finished=reply.finish != "length",
    )


def open_backend(
    endpoints: Sequence[tuple[str, str]],
    *,
    key: str,
    retry: Retry,
    timeout_s: float,
    concurrency: int,
    requests_per_minute: float | None,
    extra: Mapping[str, Any],
    warn: Callable[[str], None],
) -> RemoteBackend:
    """The backend for endpoints, each a URL and the model's name there. Raises InputError where a URL is none."""
    stopped = threading.Event()

    def sleep(wait_s: float) -> None:
        stopped.wait(wait_s)

    clients = [Client(url, model, key=key, timeout_s=timeout_s, retry=retry, sleep=sleep) for url, model in endpoints]
    return RemoteBackend(
        clients,
        concurrency=concurrency,
        requests_per_minute=requests_per_minute,
        extra=extra,
        warn=warn,
        stopped=stopped,
    )


BACKEND = open_backend
