"""The body of a request as JSON: strict, and silent about what it holds."""

import json
from typing import Any, NoReturn

from osler.serve.refusal import Refusal


def parse_body(data: bytes, content_type: str) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        Refusal: 415 for another type, 400 for what is no JSON object: broken, not UTF-8, NaN, a key given twice,
            nested too deep, half a surrogate pair.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, "the body must be application/json", code="unsupported_media_type")
    try:
        body = json.loads(data.decode("utf-8"), parse_constant=_no_number, object_pairs_hook=_once)
        # Half a surrogate pair can be spelled in JSON and is no text: tokenizers and hashes would fail at it.
        json.dumps(body, ensure_ascii=False).encode("utf-8") if b"\\ud" in data.lower() else None
    except Refusal:
        raise
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "the body is no valid JSON in UTF-8", code="invalid_json") from error
    if not isinstance(body, dict):
        raise Refusal(400, "the body must be a JSON object", code="invalid_json")
    return body


def _no_number(text: str) -> NoReturn:
    raise ValueError("no JSON number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise Refusal(400, "an object of the body gives one key twice", code="invalid_json")
    return dict(pairs)
