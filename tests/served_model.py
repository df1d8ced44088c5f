"""A model folder behind the chat server of the tests: real HTTP, real replies."""

import base64
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chat_server import Fault
from osler.infer.backends.local import open_backend
from osler.infer.generator import Request
from osler.schema.sample import Image, Part, Text, Turn, image


def answers_of(model: Path) -> Callable[[dict[str, Any]], Fault]:
    """What a chat server answers for the model, one question at a time."""
    backend, lock = open_backend(model, "cpu"), threading.Lock()

    def answer(body: dict[str, Any]) -> Fault:
        images: list[bytes] = []
        turns = tuple(_turn(message, images) for message in body["messages"])
        asked = Request("", turns, tuple(images), max_new_tokens=body["max_tokens"])
        with lock:
            (reply,) = backend.generate([asked])
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": reply.raw},
            "finish_reason": "stop" if reply.finished else "length",
        }
        usage = {"prompt_tokens": reply.tokens_in, "completion_tokens": reply.tokens_out}
        return Fault(body=json.dumps({"id": "x", "model": body["model"], "choices": [choice], "usage": usage}))

    return answer


def _turn(message: dict[str, Any], images: list[bytes]) -> Turn:
    content = message["content"]
    if isinstance(content, str):
        return Turn(role=message["role"], parts=(Text(text=content),))
    parts: list[Part] = []
    for part in content:
        if part["type"] == "text":
            parts.append(Text(text=part["text"]))
        else:
            images.append(base64.b64decode(part["image_url"]["url"].partition(",")[2]))
            parts.append(Image(media=image(f"{len(images)}.png")))
    return Turn(role=message["role"], parts=tuple(parts))
