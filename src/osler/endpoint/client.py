"""Client of an OpenAI-compatible server: sends a request, and tries again where that may help. Threads may share it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.endpoint.batch import RateLimit
from osler.endpoint.chat import ChatReply, ChatRequest, EndpointError, Message, reply_from

_MAX_WAIT_S = 60.0
_MAX_REPLY_BYTES = 32 << 20
_NAMES_SHOWN = 8


@dataclass(frozen=True)
class Retry:
    """How often and how soon to ask again: waits of `first_wait_s`, doubled each time, half of it random."""

    max_tries: int = 5
    first_wait_s: float = 1.0


class Client:
    """A model behind a URL.

    Args:
        url: of the server's interface, such as `http://127.0.0.1:8000/v1`.
        model: its name there.
        key: sent as a bearer token; "" sends none. It is never part of a message or an error.
        timeout_s: for the whole of one try.
        retry: when to ask again.
        rate: how fast requests may follow each other, second tries included; None sets no limit.
        sleep: waits; tests pass their own.

    Raises:
        InputError: the package httpx2 is missing, the URL is none or the key holds what no header may.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str = "",
        timeout_s: float = 120.0,
        retry: Retry = Retry(),
        rate: RateLimit | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        try:
            import httpx2
        except ImportError as error:
            raise InputError("an endpoint needs the package httpx2", fix="pip install 'osler[endpoint]'") from error
        if not url.startswith(("http://", "https://")):
            raise InputError(f"{url!r} is no address of an endpoint", expected="http://HOST:PORT/v1 or https://...")
        if not (key.isascii() and key.isprintable()):
            raise InputError("the key of the endpoint (OSLER_API_KEY) holds a line break or another odd character")
        self.url, self.model = url.rstrip("/"), model
        self._retry, self._rate, self._sleep, self._timeout_s = retry, rate, sleep, timeout_s
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # trust_env: no proxy from the environment may see what is asked.
        # verify: reading the certificates takes longer than most answers, and plain HTTP has none.
        is_secure = self.url.startswith("https://")
        self._http = httpx2.Client(
            timeout=timeout_s, headers=headers, verify=is_secure, trust_env=False, follow_redirects=False
        )
        self._jitter = np.random.default_rng()

    def complete(self, request: ChatRequest) -> ChatReply:
        """The model's answer.

        Raises:
            EndpointError: no answer after `max_tries`, or one that asking again will not change.
        """
        for number in range(1, self._retry.max_tries + 1):
            try:
                return self._try(request)
            except EndpointError as error:
                if not error.may_pass or number == self._retry.max_tries:
                    raise
                self._sleep(self._wait_s(number, error.retry_after_s))
        raise EndpointError("no try was allowed", kind="refused")

    def models(self) -> tuple[str, ...]:
        """The names that the server offers. Raises EndpointError where it does not tell."""
        body = self._send("GET", "/models", None)
        try:
            return tuple(str(entry["id"]) for entry in body["data"])
        except (KeyError, TypeError) as error:
            raise EndpointError(f"{self.url}/models gives no list of models", kind="nonsense") from error

    def check(self) -> None:
        """Raise InputError where the server is not there, refuses the key or has no such model."""
        try:
            names = self.models()
        except EndpointError as error:
            fix = "Check the key (OSLER_API_KEY)." if error.status in {401, 403} else "Is it running?"
            raise InputError(f"the endpoint {self.url} does not answer: {error}", fix=fix) from error
        if self.model not in names:
            offered = ", ".join(names[:_NAMES_SHOWN]) or "none"
            raise InputError(f"the endpoint {self.url} has no model {self.model!r}", expected=f"one of {offered}")

    def check_vision(self, picture: Any) -> None:
        """Raise InputError where the model refuses a picture, which is asked about in one short request."""
        request = ChatRequest((Message("user", (picture, "Reply with one word.")),), max_tokens=1)
        try:
            self.complete(request)
        except EndpointError as error:
            raise InputError(
                f"model {self.model!r} at {self.url} does not take images: {error}",
                fix="Serve a vision-language model, or leave the tasks with images out.",
            ) from error

    def close(self) -> None:
        """Close the connections. A `with` block does so, too."""
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _try(self, request: ChatRequest) -> ChatReply:
        if self._rate is not None:
            self._rate.wait()
        started = time.perf_counter()
        body = self._send("POST", "/chat/completions", request.body(self.model))
        return reply_from(body, request, latency_ms=1000 * (time.perf_counter() - started))

    def _send(self, method: str, path: str, body: Any) -> Any:
        import httpx2

        deadline = time.monotonic() + self._timeout_s
        try:
            with self._http.stream(method, self.url + path, json=body) as response:
                data = _read(response, deadline)
                status, retry_after = response.status_code, response.headers.get("retry-after")
        except httpx2.TimeoutException as error:
            raise EndpointError(f"no reply from {self.url} within {self._timeout_s:g} s", kind="timeout") from error
        except (httpx2.ConnectError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise EndpointError(f"cannot reach {self.url}: {error}", kind="unreachable") from error
        except httpx2.HTTPError as error:
            raise EndpointError(f"{self.url} broke off its reply: {error}", kind="nonsense") from error
        if status != 200:
            raise _status_error(self.url, status, data, retry_after)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise EndpointError(f"{self.url} replied with no valid JSON", kind="nonsense") from error

    def _wait_s(self, number: int, asked_s: float | None) -> float:
        if asked_s is not None:
            return min(asked_s, _MAX_WAIT_S)
        longest = min(self._retry.first_wait_s * float(2 ** (number - 1)), _MAX_WAIT_S)
        # Random waits keep many clients from asking again at the same moment; they change no result.
        return longest * (0.5 + 0.5 * float(self._jitter.random()))


def _read(response: Any, deadline: float) -> bytes:
    """The body, unless it drips in for too long or is absurdly large."""
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > _MAX_REPLY_BYTES:
            raise EndpointError("the endpoint's reply exceeds 32 MiB", kind="nonsense")
        if time.monotonic() > deadline:
            raise EndpointError("the endpoint's reply took too long to arrive", kind="timeout")
    return bytes(data)


def _status_error(url: str, status: int, data: bytes, retry_after: str | None) -> EndpointError:
    try:
        told = json.loads(data)["error"]
        words = str(told["message"] if isinstance(told, dict) else told)
    except (ValueError, KeyError, TypeError, RecursionError):
        words = data.decode("utf-8", errors="replace")
    message = f"{url} replied {status}: {' '.join(words.split())[:300]}"
    if status in {429, 503}:
        is_number = retry_after is not None and retry_after.replace(".", "", 1).isdecimal()
        wait_s = float(str(retry_after)) if is_number else None
        return EndpointError(message, kind="busy", status=status, retry_after_s=wait_s)
    return EndpointError(message, kind="server" if status >= 500 or status == 408 else "refused", status=status)
