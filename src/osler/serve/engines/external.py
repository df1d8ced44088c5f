"""A model behind another server: vLLM, SGLang, LMDeploy or any that speaks OpenAI's interface."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.log import Log
from osler.core.settings import read_settings
from osler.endpoint.chat import ChatRequest, EndpointError, Message, Picture
from osler.endpoint.client import Client, Retry
from osler.endpoint.stream import StreamingClient
from osler.schema.sample import Text, Turn
from osler.serve.config import ExternalConfig
from osler.serve.engine import Abilities, Alternative, Ask, Piece, Shown, Tiling
from osler.serve.engines.canary import check_agreement
from osler.serve.engines.launch import write_launch_file
from osler.serve.model_files import verified_sha256
from osler.serve.refusal import Refusal

# Engines that can be told to leave control tokens in the text, which is what the channels are told apart by.
_SHOW_MARKS = {"vllm", "sglang", "lmdeploy"}
_CHECKED_S = 5.0
_MAX_CONNECTIONS = 256
_STATUS = {"busy": 503, "unreachable": 503, "timeout": 504, "refused": 400}


class ExternalEngine:
    """Passes requests on, each as a stream, so that a client that leaves is heard of at the engine.

    Args:
        client: to the server. watch: a client of the same server that tells which models there are.
        kind: see `ExternalConfig`. name: the public name. served: the engine's own name of the model.
        sha256: of the model's files where they can be seen, else "".
    """

    tiling: Tiling | None = None

    def __init__(
        self,
        client: StreamingClient,
        watch: Client,
        *,
        kind: str,
        name: str,
        served: str,
        sha256: str = "",
        json_schema: bool = True,
    ) -> None:
        self.model, self.model_sha256 = name, sha256
        self.abilities = Abilities(schema=json_schema, past_reasoning=False)
        self._client, self._watch, self._kind, self._served = client, watch, kind, served
        self._checked, self._problem = -_CHECKED_S, ""

    async def start(self) -> None:
        """Nothing: the engine runs already."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        self._watch.close()

    async def problem(self) -> str:
        """Whether the engine offers the model, asked every few seconds at most."""
        if time.monotonic() - self._checked >= _CHECKED_S:
            try:
                names = await asyncio.to_thread(self._watch.models)
                self._problem = "" if self._served in names else "the engine does not offer the model"
            except EndpointError as error:
                self._problem = f"the engine does not answer ({error.kind})"
            self._checked = time.monotonic()
        return self._problem

    async def answer(self, ask: Ask) -> AsyncIterator[Piece]:
        """See `Engine.answer`."""
        finish, tokens_in, tokens_out = "", 0, 0
        try:
            async with aclosing(self._client.events(self._body(ask))) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    usage = chunk.get("usage") or {}
                    tokens_in = _count(usage, "prompt_tokens", tokens_in)
                    tokens_out = _count(usage, "completion_tokens", tokens_out)
                    for choice in chunk.get("choices") or ():
                        finish = _finish(choice) or finish
                        piece = _piece(choice)
                        tokens_out += 0 if usage else bool(piece.text or piece.reasoning)
                        yield Piece(piece.text, piece.reasoning, piece.tokens, "", tokens_in, tokens_out)
        except EndpointError as error:
            raise _refusal(error) from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Refusal(502, "the engine's answer cannot be read", code="engine_failed") from error
        if not finish:
            raise Refusal(502, "the engine broke off its answer", code="engine_failed")
        yield Piece(finish=finish, tokens_in=tokens_in, tokens_out=tokens_out)

    def _body(self, ask: Ask) -> dict[str, Any]:
        extra: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, "top_p": ask.top_p}
        if ask.top_logprobs is not None:
            extra |= {"logprobs": True, "top_logprobs": ask.top_logprobs}
        if self._kind in _SHOW_MARKS:
            extra |= {"skip_special_tokens": False, "chat_template_kwargs": {"reasoning": ask.reasoning}}
        elif ask.reasoning:
            extra["reasoning_effort"] = "high"
        pictures = iter(ask.pictures)
        request = ChatRequest(
            tuple(_message(turn, pictures) for turn in ask.turns),
            max_tokens=ask.max_tokens,
            temperature=ask.temperature,
            seed=ask.seed if ask.temperature else None,
            schema=ask.schema,
            extra=extra,
        )
        return request.body(self._served)


def open_external(config: ExternalConfig, name: str, *, out: Path, log: Log) -> ExternalEngine:
    """The engine behind a URL, after it has shown that it is the model that it should be.

    Raises:
        InputError: the engine does not answer or has no such model; its first words differ from the local model's.
    """
    if config.folder is not None:
        log.info(f"launch file of the engine: {write_launch_file(config, out)}")
    key = read_settings().api_key

    def engine(sha256: str) -> ExternalEngine:
        watch = Client(config.url, config.model, key=key, timeout_s=_CHECKED_S, retry=Retry(max_tries=1))
        client = StreamingClient(
            config.url, key=key, timeout_s=config.timeout_s, max_connections=_MAX_CONNECTIONS
        )  # fmt: skip
        return ExternalEngine(
            client, watch, kind=config.kind, name=name, served=config.model, sha256=sha256,
            json_schema=config.json_schema,
        )  # fmt: skip

    with Client(config.url, config.model, key=key, timeout_s=_CHECKED_S, retry=Retry(max_tries=1)) as asked:
        asked.check()
    if config.compare_with is None:
        log.warn("the engine's model is not compared with a local one (external.compare_with)")
        return engine("")
    sha256 = verified_sha256(config.compare_with)
    found = asyncio.run(
        check_agreement(engine(sha256), config.compare_with, sha256=sha256, kept=out / "canary.json", log=log)
    )
    log.info(found.line())
    if found.agreement < config.min_agreement:
        raise InputError(
            f"the engine is not the model in {config.compare_with}: {found.line()}",
            expected=f"agreement of at least {config.min_agreement:.0%}",
            fix="Is it the same model, template and precision? Then lower external.min_agreement, knowingly.",
        )
    return engine(sha256)


def _message(turn: Turn, pictures: Any) -> Message:
    """A turn, its pictures as files, the names of control tokens in its words undone."""
    parts: list[str | Picture] = []
    for part in turn.parts:
        if isinstance(part, Text):
            parts.append(part.text.replace("<|", "< |"))
        else:
            shown: Shown = next(pictures)
            parts.append(Picture(shown.data, shown.media_type))
    return Message(turn.role, tuple(parts))


def _piece(choice: Mapping[str, Any]) -> Piece:
    delta = choice.get("delta") or {}
    text, reasoning = delta.get("content") or "", delta.get("reasoning_content") or delta.get("reasoning") or ""
    if not isinstance(text, str) or not isinstance(reasoning, str):
        raise TypeError("words that are no text")
    told = (choice.get("logprobs") or {}).get("content") or ()
    return Piece(text, reasoning, tuple(_alternative(entry) for entry in told))


def _alternative(entry: Mapping[str, Any]) -> Alternative:
    text = str(entry["token"])
    data = bytes(entry["bytes"]) if entry.get("bytes") else text.encode("utf-8", errors="replace")
    others = tuple(_alternative(other) for other in entry.get("top_logprobs") or ())
    return Alternative(text, data, float(entry["logprob"]), others)


def _finish(choice: Mapping[str, Any]) -> str:
    reason = choice.get("finish_reason")
    return "" if reason is None else ("length" if reason == "length" else "stop")


def _count(usage: Mapping[str, Any], name: str, before: int) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value >= 0 else before


def _refusal(error: EndpointError) -> Refusal:
    status = _STATUS.get(error.kind, 502)
    if error.kind == "refused" and error.status not in {400, 413, 422}:
        status = 502  # the engine does not know our key or our model, which is not the client's fault
    code = "engine_refused" if status == 400 else "engine_unavailable"
    wait_s = (error.retry_after_s or 5.0) if status == 503 else None
    return Refusal(status, f"the engine gave no answer ({error.kind})", code=code, retry_after_s=wait_s)
