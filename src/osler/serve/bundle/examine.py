"""Examine: one pass over a file's bytes gives its hash, and for a model's file the reason why it may not be there.

A model is numbers and words: safetensors, JSON, text. Whatever could run (pickle, Python, a library, a configuration
that asks for code) is refused by its name, by its first bytes and by what it says.
"""

import hashlib
import json
from collections.abc import Callable
from typing import IO, Any

from osler.serve.bundle.names import MODEL

SUFFIXES = frozenset({".safetensors", ".json", ".jinja", ".txt", ".md", ".model"})
_CODE_KEYS = frozenset({"auto_map", "custom_pipelines", "trust_remote_code"})
_STARTS = {
    b"PK\x03\x04": "a zip file, such as torch.save writes",
    b"\x7fELF": "a program",
    b"#!": "a script",
    b"MZ": "a program",
    b"\x1f\x8b": "a compressed file",
}
_PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_CHUNK = 1 << 20
_MAX_JSON, _MAX_HEADER = 512 << 20, 256 << 20
_LENGTH_BYTES = 8


def examine(name: str, file: IO[bytes], *, copy_to: Callable[[bytes], Any] | None = None) -> tuple[str, str]:
    """The SHA-256 of a bundle's file, and what is wrong with it; "" where nothing is.

    Args:
        name: its path in the bundle.
        file: its bytes, read once from the start.
        copy_to: is handed each piece as well.
    """
    digest, size, kept = hashlib.sha256(), 0, bytearray()
    is_model = name.split("/")[0] == MODEL
    wanted = _num_wanted(name) if is_model else 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if copy_to is not None:
            copy_to(chunk)
        if len(kept) < wanted:
            kept += chunk[: wanted - len(kept)]
            if name.endswith(".safetensors") and len(kept) >= _LENGTH_BYTES:
                wanted = min(_LENGTH_BYTES + int.from_bytes(kept[:_LENGTH_BYTES], "little"), _MAX_HEADER)
    return digest.hexdigest(), _why_no_model_file(name, bytes(kept), size) if is_model else ""


def _num_wanted(name: str) -> int:
    return _MAX_JSON + 1 if name.endswith(".json") else _CHUNK


def _why_no_model_file(name: str, start: bytes, size: int) -> str:
    suffix = next((each for each in SUFFIXES if name.endswith(each)), "")
    if not suffix and name.rpartition("/")[2] not in {"LICENSE", "NOTICE"}:
        return f"does not belong into a model, whose files are {', '.join(sorted(SUFFIXES))}"
    if start.startswith(_PICKLE):
        return "is a pickle, which runs code when it is read"
    if suffix == ".safetensors":
        return _why_no_safetensors(start, size)
    for mark, what in _STARTS.items():
        if start.startswith(mark):
            return f"is {what}"
    return _why_no_json(start) if suffix == ".json" else ""


def _why_no_safetensors(start: bytes, size: int) -> str:
    """The header names every byte of the rest once, so that nothing else can hide in the file."""
    length = int.from_bytes(start[:_LENGTH_BYTES], "little")
    try:
        header = json.loads(start[_LENGTH_BYTES : _LENGTH_BYTES + length])
        spans = sorted(tuple(tensor["data_offsets"]) for name, tensor in header.items() if name != "__metadata__")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return "is no safetensors file"
    end = 0
    for span in spans:
        if len(span) != 2 or span[0] != end or not isinstance(span[1], int) or span[1] < end:
            return "is no safetensors file: its tensors overlap or leave gaps"
        end = span[1]
    if _LENGTH_BYTES + length + end != size:
        return "is no safetensors file: it is longer or shorter than its tensors"
    return ""


def _why_no_json(data: bytes) -> str:
    if len(data) > _MAX_JSON:
        return "is too large for a configuration"
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return "is no JSON"
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            asked = sorted(key for key in _CODE_KEYS & each.keys() if each[key])
            if asked:
                return f"asks for code of its own ({asked[0]})"
            left += each.values()
        elif isinstance(each, list):
            left += each
    return ""
