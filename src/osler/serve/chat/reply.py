"""The answer as OpenAI's interface writes it: one object, or a stream of server-sent events."""

import json
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from osler.serve.chat.answer import Delta
from osler.serve.engine import Alternative
from osler.serve.refusal import Refusal

_DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Form:
    """What the envelope of an answer says."""

    request_id: str
    model: str
    with_logprobs: bool
    include_usage: bool = False

    def head(self, kind: str) -> dict[str, Any]:
        """The fields that every object of an answer begins with."""
        return {"id": f"chatcmpl-{self.request_id}", "object": kind, "created": int(time.time()), "model": self.model}


async def whole_answer(parts: AsyncIterator[Delta], form: Form) -> dict[str, Any]:
    """All parts as one `chat.completion`."""
    content, reasoning, last = [], [], Delta()
    tokens: list[Alternative] = []
    async for last in parts:
        content.append(last.content)
        reasoning.append(last.reasoning)
        tokens += last.tokens
    message: dict[str, Any] = {"role": "assistant", "content": "".join(content)}
    if any(reasoning):
        message["reasoning_content"] = "".join(reasoning)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last.finish}
    if form.with_logprobs:
        choice["logprobs"] = _logprobs(tokens)
    return {**form.head("chat.completion"), "choices": [choice], "usage": _usage(last)}


async def event_stream(parts: AsyncIterator[Delta], form: Form) -> AsyncIterator[bytes]:
    """Each part as an event, ended by `[DONE]`. A refusal after the first event is an event of its own."""
    head = form.head("chat.completion.chunk")
    usage = {"usage": None} if form.include_usage else {}

    def chunk(delta: dict[str, Any], tokens: Iterable[Alternative] = (), finish: str | None = None) -> bytes:
        tokens = tuple(tokens)
        logprobs = _logprobs(tokens) if form.with_logprobs and tokens else None
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return _event({**head, "choices": [choice], **usage})

    last, has_begun = Delta(), False
    try:
        async for last in parts:
            if not has_begun:
                has_begun = True
                yield chunk({"role": "assistant", "content": ""})
            delta = {"reasoning_content": last.reasoning} if last.reasoning else {}
            delta |= {"content": last.content} if last.content else {}
            if delta or last.tokens:
                yield chunk(delta, last.tokens)
    except Refusal as refusal:
        if not has_begun:
            raise
        yield _event(refusal.body())
        return
    yield chunk({}, finish=last.finish)
    if form.include_usage:
        yield _event({**head, "choices": [], "usage": _usage(last)})
    yield _DONE


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


def _usage(last: Delta) -> dict[str, int]:
    total = last.tokens_in + last.tokens_out
    return {"prompt_tokens": last.tokens_in, "completion_tokens": last.tokens_out, "total_tokens": total}


def _logprobs(tokens: Iterable[Alternative]) -> dict[str, Any]:
    return {"content": [{**_entry(each), "top_logprobs": [_entry(o) for o in each.others]} for each in tokens]}


def _entry(token: Alternative) -> dict[str, Any]:
    return {"token": token.text, "logprob": token.logprob, "bytes": list(token.data)}
