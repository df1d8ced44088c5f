"""A chat request, read field by field: what is not honoured is refused by name, never ignored."""

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from osler.core.errors import did_you_mean
from osler.schema.media import MediaRef
from osler.schema.sample import Image, Part, Text, Turn
from osler.serve.chat.fields import Fields, invalid, unsupported
from osler.serve.engine import Abilities
from osler.serve.limits import Limits
from osler.serve.refusal import Refusal

_MAX_STOPS, _MAX_STOP_LETTERS = 4, 256
_MAX_TEMPERATURE = 2.0
_LONGEST_NAME = 40
_URI = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_SUPPORTED = (
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "n",
    "seed", "stop", "logprobs", "top_logprobs", "response_format", "reasoning_effort",
)  # fmt: skip
# What clients of this and of other servers send. A name outside of it is not repeated: it may be anything.
_KNOWN = (
    "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "logit_bias", "frequency_penalty",
    "presence_penalty", "repetition_penalty", "user", "metadata", "store", "service_tier", "modalities", "audio",
    "prediction", "web_search_options", "verbosity", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
    "top_k", "min_p", "typical_p", "best_of", "echo", "suffix", "use_beam_search", "length_penalty", "min_tokens",
    "ignore_eos", "stop_token_ids", "skip_special_tokens", "include_stop_str_in_output",
    "spaces_between_special_tokens", "guided_json", "guided_regex", "guided_choice", "guided_grammar",
    "structured_outputs", "chat_template",
    "chat_template_kwargs", "add_generation_prompt", "continue_final_message", "documents", "mm_processor_kwargs",
    "priority", "cache_salt", "truncate_prompt_tokens", "prompt_logprobs", "return_tokens_as_token_ids", "prompt",
    "generation_config", "timeout", "extra_body", "extra_headers", "request_id", "include_reasoning", "moderation",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ChatWish:
    """What a request wants. `files` are the images' bytes, one a media reference of the turns, in order."""

    turns: tuple[Turn, ...]
    files: tuple[bytes, ...]
    max_tokens: int
    stream: bool = False
    include_usage: bool = False
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int | None = None
    schema: Mapping[str, Any] | None = None
    reasoning: bool = False

    def words(self) -> list[str]:
        """All that was said, in order, for the audit's digest."""
        return [f"{turn.role}\0{turn.reasoning}\0{turn.text}" for turn in self.turns]


def read_chat(body: Mapping[str, Any], *, limits: Limits, abilities: Abilities, model: str) -> ChatWish:
    """The request in a body. Counts images before it decodes any.

    Raises:
        Refusal: 400 names the field; 404 for another model; 413 for more than the limits allow.
    """
    _refuse_unknown(body)
    fields = Fields(body)
    if fields.text("model") != model:
        raise Refusal(
            404, "this server has no such model; GET /v1/models lists it", code="model_not_found", param="model"
        )
    if (fields.whole("n", 1, low=1, high=128) or 1) != 1:
        raise unsupported("n", "one answer a request")
    messages = fields.sequence("messages")
    if len(messages) > limits.max_messages:
        raise Refusal(413, f"more than {limits.max_messages} messages", code="too_many_messages", param="messages")
    turns, files = _turns(messages, limits)
    if not abilities.past_reasoning and any(turn.reasoning for turn in turns):
        raise unsupported("messages.reasoning_content", "this engine does not read earlier reasoning")
    stream = fields.flag("stream")
    options = fields.mapping("stream_options") or {}
    _refuse_others(options, ("include_usage",), "stream_options")
    if options and not stream:
        raise invalid("stream_options", "it says nothing without stream: true")
    return ChatWish(
        turns=turns,
        files=files,
        max_tokens=_max_tokens(fields, limits),
        stream=stream,
        include_usage=Fields(options, "stream_options.").flag("include_usage"),
        temperature=fields.number("temperature", 0.0, low=0.0, high=_MAX_TEMPERATURE),
        top_p=_top_p(fields),
        seed=fields.whole("seed", None, low=-(2**63), high=2**63 - 1),
        stop=_stops(body.get("stop")),
        top_logprobs=_top_logprobs(fields, abilities),
        schema=_schema(fields, abilities),
        reasoning=_reasoning(fields, abilities),
    )


def _refuse_unknown(body: Mapping[str, Any]) -> None:
    """A null says nothing, so it is honoured anywhere."""
    for number, (name, value) in enumerate(body.items(), start=1):
        if name in _SUPPORTED or (name in _KNOWN and value is None):
            continue
        if name in _KNOWN:
            raise unsupported(name, "it is not offered here")
        hint = did_you_mean(name[:_LONGEST_NAME], _SUPPORTED)
        message = f"field number {number} of the body is unknown. {hint or 'Known: ' + ', '.join(_SUPPORTED)}"
        raise Refusal(400, message, code="unknown_field")


def _refuse_others(given: Mapping[str, Any], allowed: Collection[str], where: str) -> None:
    others = [name for name, value in given.items() if name not in allowed and value is not None]
    if others:
        known = {"tool_calls", "function_call", "refusal", "audio", "annotations", "name", "detail", "strict", "prefix"}
        shown = f"{where}.{others[0]}" if others[0] in known else where
        raise Refusal(
            400, f"{shown}: only {', '.join(sorted(allowed))} are honoured here", code="unsupported_field", param=shown
        )


def _turns(messages: Sequence[Any], limits: Limits) -> tuple[tuple[Turn, ...], tuple[bytes, ...]]:
    uris: list[tuple[str, str]] = []
    turns = [_turn(message, f"messages[{number}]", uris) for number, message in enumerate(messages)]
    if not turns or turns[-1].role != "user":
        raise invalid("messages", "the last message must be the user's")
    if len(uris) > limits.max_images:
        raise Refusal(413, f"{len(uris)} images; at most {limits.max_images}", code="too_many_images", param="messages")
    return tuple(turns), tuple(_decoded(uri, where) for uri, where in uris)


def _turn(message: Any, where: str, uris: list[tuple[str, str]]) -> Turn:
    if not isinstance(message, dict):
        raise invalid(where, "a message must be an object")
    _refuse_others(message, ("role", "content", "reasoning_content"), where)
    fields = Fields(message, f"{where}.")
    role = fields.one_of("role", ("system", "user", "assistant"))
    reasoning = fields.text("reasoning_content", "")
    if reasoning and role != "assistant":
        raise invalid(f"{where}.reasoning_content", "only the assistant has reasoning")
    content = message.get("content")
    if isinstance(content, str):
        parts: tuple[Part, ...] = (Text(text=content),)
    elif isinstance(content, list) and content:
        parts = tuple(_part(part, role, f"{where}.content[{n}]", uris) for n, part in enumerate(content))
    else:
        raise invalid(f"{where}.content", "it must be a text or a list of parts")
    return Turn(role=role, parts=parts, reasoning=reasoning)


def _part(part: Any, role: str, where: str, uris: list[tuple[str, str]]) -> Part:
    if not isinstance(part, dict):
        raise invalid(where, "a part must be an object")
    kind = Fields(part, f"{where}.").one_of("type", ("text", "image_url"))
    _refuse_others(part, ("type", kind), where)
    if kind == "text":
        return Text(text=Fields(part, f"{where}.").text("text"))
    if role != "user":
        raise invalid(where, "only the user shows images")
    target = part.get("image_url")
    if not isinstance(target, dict):
        raise invalid(f"{where}.image_url", "it must be an object with a url")
    allowed = ("url", "detail") if target.get("detail") == "auto" else ("url",)
    _refuse_others(target, allowed, f"{where}.image_url")
    uris.append((Fields(target, f"{where}.image_url.").text("url"), f"{where}.image_url.url"))
    return Image(media=MediaRef(path=f"image-{len(uris)}"))


def _decoded(uri: str, where: str) -> bytes:
    """The bytes of a data URI. No other address is ever fetched or opened."""
    head = _URI.match(uri)
    if head is None:
        message = "an image must come as data:image/...;base64,...; addresses are not fetched"
        raise Refusal(400, message, code="image_not_inline", param=where)
    try:
        data = base64.b64decode(uri[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(where, "its base64 is broken") from error
    if not data:
        raise invalid(where, "it holds no bytes")
    return data


def _max_tokens(fields: Fields, limits: Limits) -> int:
    found = {name: fields.whole(name, None, low=1, high=2**31) for name in ("max_tokens", "max_completion_tokens")}
    given = [value for value in found.values() if value is not None]
    if len(set(given)) > 1:
        raise invalid("max_tokens", "it contradicts max_completion_tokens")
    name = next((name for name, value in found.items() if value is not None), "max_tokens")
    if given and given[0] > limits.max_tokens:
        raise invalid(name, f"at most {limits.max_tokens}")
    return given[0] if given else min(limits.default_max_tokens, limits.max_tokens)


def _top_p(fields: Fields) -> float:
    top_p = fields.number("top_p", 1.0, low=0.0, high=1.0)
    if top_p == 0:
        raise invalid("top_p", "it must be above 0")
    return top_p


def _stops(given: Any) -> tuple[str, ...]:
    stops = [given] if isinstance(given, str) else ([] if given is None else given)
    if not isinstance(stops, list) or not all(isinstance(stop, str) and stop for stop in stops):
        raise invalid("stop", "it must be a text or a list of texts, none of them empty")
    if len(stops) > _MAX_STOPS or any(len(stop) > _MAX_STOP_LETTERS for stop in stops):
        raise invalid("stop", f"at most {_MAX_STOPS} texts of {_MAX_STOP_LETTERS} letters")
    return tuple(stops)


def _top_logprobs(fields: Fields, abilities: Abilities) -> int | None:
    most = abilities.max_top_logprobs
    wanted, number = fields.flag("logprobs"), fields.whole("top_logprobs", None, low=0, high=most)
    if number is not None and not wanted:
        raise invalid("top_logprobs", "it says nothing without logprobs: true")
    return (number or 0) if wanted else None


def _schema(fields: Fields, abilities: Abilities) -> Mapping[str, Any] | None:
    given = fields.mapping("response_format")
    if given is None:
        return None
    inner = Fields(given, "response_format.")
    kind = inner.one_of("type", ("text", "json_object", "json_schema"))
    if kind == "text":
        _refuse_others(given, ("type",), "response_format")
        return None
    if kind == "json_object" or not abilities.schema:
        raise unsupported("response_format", f"this engine cannot hold an answer to a {kind}")
    _refuse_others(given, ("type", "json_schema"), "response_format")
    outer = inner.mapping("json_schema") or {}
    _refuse_others(outer, ("name", "schema", "strict", "description"), "response_format.json_schema")
    schema = Fields(outer, "response_format.json_schema.").mapping("schema")
    if schema is None:
        raise invalid("response_format.json_schema.schema", "it is missing")
    return schema


def _reasoning(fields: Fields, abilities: Abilities) -> bool:
    if fields.text("reasoning_effort", "") == "":
        return False
    effort = fields.one_of("reasoning_effort", ("none", "minimal", "low", "medium", "high", "xhigh"))
    if effort not in abilities.reasoning_efforts:
        raise unsupported("reasoning_effort", f"this model knows {', '.join(sorted(abilities.reasoning_efforts))}")
    return effort != "none"


def without_files(wish: ChatWish) -> ChatWish:
    """The same without the images' bytes, which need not be kept while the model works."""
    return replace(wish, files=())
