"""Chat: what is asked of an OpenAI-compatible server and what it answers, independent of how it is sent."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from osler.core.errors import OslerError
from osler.core.files import sha256_bytes, sha256_json

ErrorKind = Literal["timeout", "unreachable", "busy", "server", "nonsense", "refused", "budget"]
# Few letters and many tokens: a budget may end early, never late.
_LETTERS_A_TOKEN = 3
_TOKENS_A_PICTURE = 1500


@dataclass(frozen=True)
class Picture:
    """An image in a message, as its file's bytes; `media_type` as in `image/png`."""

    data: bytes
    media_type: str


@dataclass(frozen=True)
class Message:
    """What one speaker says: words and pictures in order."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[str | Picture, ...]


@dataclass(frozen=True)
class ChatRequest:
    """One question.

    temperature: 0 asks for greedy decoding.
    seed: sent along where not None; a server may ignore it.
    schema: JSON schema that the answer is to follow, sent as `response_format`; an engine may not honour it.
    extra: further fields of the request body, such as `chat_template_kwargs` of vLLM.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int | None = 0
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self, model: str) -> dict[str, Any]:
        """The JSON body of the request, pictures as data URIs."""
        return self._settings(model) | {"messages": [_message(each, _data_uri) for each in self.messages]}

    def key(self, model: str) -> str:
        """SHA-256 over all that decides the answer: model, words, the pictures' bytes and types, settings."""
        messages = [_message(each, _digest) for each in self.messages]
        return sha256_json(self._settings(model) | {"messages": messages})

    def estimated_tokens(self) -> int:
        """About how many tokens the question has, for a server that does not count them."""
        parts = [part for message in self.messages for part in message.parts]
        num_letters = sum(len(part) for part in parts if isinstance(part, str))
        return num_letters // _LETTERS_A_TOKEN + _TOKENS_A_PICTURE * sum(isinstance(part, Picture) for part in parts)

    def _settings(self, model: str) -> dict[str, Any]:
        body: dict[str, Any] = {"model": model, "max_tokens": self.max_tokens, "temperature": self.temperature}
        if self.seed is not None:
            body["seed"] = self.seed
        if self.stop:
            body["stop"] = list(self.stop)
        if self.schema is not None:
            schema = {"name": "answer", "schema": dict(self.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body | dict(self.extra)


@dataclass(frozen=True)
class ChatReply:
    """An answer. `reasoning`: the analysis channel where the server keeps it apart. `finish`: `stop`, `length`, ..."""

    text: str
    reasoning: str = ""
    finish: str = "stop"
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: float = 0.0
    model: str = ""


class EndpointError(OslerError):
    """A request that got no answer.

    kind: `timeout`, `unreachable`, `busy` (429 or 503), `server` (other 5xx) and `nonsense` (a reply that is not what
        the interface says) may pass when asked again; `refused` (other 4xx) and `budget` will not.
    status: of the HTTP reply; None where there was none.
    retry_after_s: what the server asked to wait; None where it said nothing.
    """

    def __init__(
        self, message: str, *, kind: ErrorKind, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> Any:
        # Without this, an error of a worker process could not be read by the process that waits for it.
        return partial(EndpointError, kind=self.kind, status=self.status, retry_after_s=self.retry_after_s), self.args

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered later."""
        return self.kind not in {"refused", "budget"}


def user_message(*parts: str | Picture) -> Message:
    """What the user says."""
    return Message("user", parts)


def system_message(text: str) -> Message:
    """What the system prompt says."""
    return Message("system", (text,))


def reply_from(body: Any, request: ChatRequest, *, latency_ms: float) -> ChatReply:
    """The answer in the body of a response to `request`; what the server does not count is estimated.

    Raises:
        EndpointError: of kind `nonsense`, where there is none.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text = "" if message.get("content") is None else message["content"]
        reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
        if not isinstance(text, str) or not isinstance(reasoning, str):
            raise EndpointError(f"the endpoint's message is no text but {type(text).__name__}", kind="nonsense")
        usage = body.get("usage") or {}
        return ChatReply(
            text=_whole(text),
            reasoning=_whole(reasoning),
            finish=_whole(str(choice.get("finish_reason") or "stop")),
            tokens_in=_count(usage.get("prompt_tokens")) or request.estimated_tokens(),
            tokens_out=_count(usage.get("completion_tokens")) or (len(text) + len(reasoning)) // _LETTERS_A_TOKEN,
            latency_ms=latency_ms,
            model=_whole(str(body.get("model") or "")),
        )
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise EndpointError("the endpoint's reply has no choices[0].message", kind="nonsense") from error


def _whole(text: str) -> str:
    """`text` without halves of surrogate pairs, which JSON can spell and no file can hold."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _count(value: Any) -> int:
    """A number of tokens; 0 where the server says none or nonsense, which must not lower what was spent."""
    return max(0, int(value or 0))


def _message(message: Message, show: Any) -> dict[str, Any]:
    if all(isinstance(part, str) for part in message.parts):
        return {"role": message.role, "content": "\n".join(str(part) for part in message.parts)}
    content = [{"type": "text", "text": part} if isinstance(part, str) else show(part) for part in message.parts]
    return {"role": message.role, "content": content}


def _data_uri(picture: Picture) -> dict[str, Any]:
    data = base64.b64encode(picture.data).decode()
    return {"type": "image_url", "image_url": {"url": f"data:{picture.media_type};base64,{data}"}}


def _digest(picture: Picture) -> dict[str, Any]:
    return {"type": "image", "sha256": sha256_bytes(picture.data), "media_type": picture.media_type}
