"""Stream: one question to an OpenAI-compatible server, its answer event by event, left when the asker leaves."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from osler.core.errors import InputError
from osler.endpoint.chat import EndpointError

_MAX_LINE = 8 << 20
_REFUSED = {400, 404, 413, 415, 422}


class StreamingClient:
    """A model behind a URL, asked from one event loop.

    Args:
        url: of the server's interface, such as `http://127.0.0.1:8001/v1`.
        key: sent as a bearer token; "" sends none.
        timeout_s: of silence; an answer may take longer as long as it goes on.
        max_connections: requests under way at once.
    """

    def __init__(self, url: str, *, key: str, timeout_s: float, max_connections: int) -> None:
        try:
            import httpx2
        except ImportError as error:
            raise InputError("an endpoint needs the package httpx2", fix="pip install 'osler[endpoint]'") from error
        self.url, self._timeout_s = url.rstrip("/"), timeout_s
        # As in Client: no proxy of the environment may see what is asked, and no redirect leads elsewhere.
        self._http = httpx2.AsyncClient(
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            verify=self.url.startswith("https://"),
            limits=httpx2.Limits(max_connections=max_connections),
            trust_env=False,
            follow_redirects=False,
        )

    async def events(self, body: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """The chunks of the answer to a request body that asks for a stream. Closing the iterator hangs up.

        Raises:
            EndpointError: of the kinds that `Client` knows. Its text never holds what the server said: that may repeat
                the question.
        """
        import httpx2

        try:
            async with self._http.stream("POST", f"{self.url}/chat/completions", json=body) as reply:
                if reply.status_code != 200:
                    raise _status_error(reply.status_code, reply.headers.get("retry-after"))
                async for line in reply.aiter_lines():
                    if len(line) > _MAX_LINE:
                        raise EndpointError("the endpoint sends absurdly long lines", kind="nonsense")
                    if line.startswith("data:") and line[5:].strip() == "[DONE]":
                        return
                    if line.startswith("data:"):
                        yield _chunk(line[5:])
        except httpx2.TimeoutException as error:
            raise EndpointError(f"no word from the endpoint within {self._timeout_s:g} s", kind="timeout") from error
        except (httpx2.ConnectError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise EndpointError("the endpoint cannot be reached", kind="unreachable") from error
        except httpx2.HTTPError as error:
            raise EndpointError("the endpoint broke off its answer", kind="nonsense") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _chunk(text: str) -> dict[str, Any]:
    try:
        chunk = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EndpointError("the endpoint sends events that are no JSON", kind="nonsense") from error
    if not isinstance(chunk, dict):
        raise EndpointError("the endpoint sends events that are no objects", kind="nonsense")
    if "error" in chunk:
        raise EndpointError("the endpoint failed at this request", kind="server")
    return chunk


def _status_error(status: int, retry_after: str | None) -> EndpointError:
    message = f"the endpoint replied {status}"
    if status in {429, 503}:
        wait_s = float(retry_after) if retry_after and retry_after.isdecimal() else None
        return EndpointError(message, kind="busy", status=status, retry_after_s=wait_s)
    return EndpointError(message, kind="refused" if status in _REFUSED else "server", status=status)
