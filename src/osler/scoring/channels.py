"""A model's reply taken apart: what it thought, what it finally said, and whether it came to an end.

Two layouts are read:
    <|channel|>analysis<|message|>...<|end|><|start|>assistant<|channel|>final<|message|>...<|return|>
    <think>...</think>...
"""

import re
from typing import NamedTuple

_CHANNEL = re.compile(r"<\|channel\|>\s*+(\w++)[^<]*+<\|message\|>")
_STOP = re.compile(r"<\|(?:end|return|call|start)\|>")
_LAST_TOKEN = re.compile(r"(?:<\|\w++\|>|</s>|<pad>|<eos>)\Z")
_LONGEST_TOKEN = 64


class Channels(NamedTuple):
    """`analysis` and `final` are stripped words; `complete` is False where the final channel has no end."""

    analysis: str
    final: str
    complete: bool


def split_channels(raw: str) -> Channels:
    """`raw` split into its channels. Text without any marker is final and counts as complete.

    Several final channels are joined by a line break, so that answers which disagree are seen to disagree.
    """
    if _CHANNEL.search(raw):
        return _split_messages(raw)
    if "</think>" in raw:
        analysis, _, final = raw.rpartition("</think>")
        return Channels(analysis.replace("<think>", "").replace("</think>", "").strip(), _trim(final), True)
    if "<think>" in raw:
        before, _, analysis = raw.partition("<think>")
        return Channels(_trim(f"{before}{analysis}"), "", False)
    return Channels("", _trim(_STOP.split(raw)[0]), True)


def _split_messages(raw: str) -> Channels:
    analysis: list[str] = []
    final: list[str] = []
    complete = False
    marks = list(_CHANNEL.finditer(raw))
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        body = raw[mark.end() : following.start() if following else len(raw)]
        stop = _STOP.search(body)
        words = _trim(body[: stop.start()] if stop else body)
        complete = stop is not None and (mark.group(1) == "final" or "<|return|>" in stop.group())
        (final if mark.group(1) == "final" else analysis).append(words)
    return Channels("\n".join(analysis), "\n".join(final), complete)


def _trim(text: str) -> str:
    """`text` without the control tokens and spaces around it."""
    end = len(text)
    while True:
        while end and text[end - 1].isspace():
            end -= 1
        token = _LAST_TOKEN.search(text, max(0, end - _LONGEST_TOKEN), end)
        if token is None:
            return text[:end].strip()
        end = token.start()
