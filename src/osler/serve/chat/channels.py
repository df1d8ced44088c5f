"""Channels of an answer as it is written: what the model thinks and what it says, told apart letter by letter.

The layouts are those of `osler.scoring.channels`, which reads whole answers:
    <|channel|>analysis<|message|>...<|end|><|start|>assistant<|channel|>final<|message|>...<|return|>
    <think>...</think>...
Words that stand in no channel are final.
"""

from dataclasses import dataclass, field
from typing import Literal

from osler.serve.engine import Alternative

Channel = Literal["final", "analysis"]
_HARMONY = ("<|channel|>", "<|message|>", "<|start|>", "<|end|>", "<|return|>", "<|call|>")
_THINK = ("<think>", "</think>")
_MARKS = (*_HARMONY, *_THINK)


@dataclass
class Tape:
    """Text with the tokens that it was written in, each at the letter where it begins."""

    text: str = ""
    tokens: list[tuple[int, Alternative]] = field(default_factory=list)

    def add(self, text: str, tokens: tuple[Alternative, ...] = ()) -> None:
        """Append. A token's letters are its own where the tokens spell the text; else all begin where it begins."""
        place, spelled = len(self.text), "".join(token.text for token in tokens) == text
        for token in tokens:
            self.tokens.append((place, token))
            place += len(token.text) if spelled else 0
        self.text += text

    def take(self, length: int) -> "Tape":
        """The first `length` letters with the tokens that begin in them, removed."""
        taken = Tape(self.text[:length], [each for each in self.tokens if each[0] < length])
        self.tokens = [(place - length, token) for place, token in self.tokens if place >= length]
        self.text = self.text[length:]
        return taken

    def alternatives(self) -> tuple[Alternative, ...]:
        """The tokens, in order."""
        return tuple(token for _, token in self.tokens)


class Splitter:
    """Takes raw text as it comes and gives back words with their channel. No mark of the layout comes through."""

    def __init__(self) -> None:
        self._tape = Tape()
        self._channel: Channel | None = "final"  # None between two messages, where nothing is said
        self._header: str | None = None
        self._is_harmony = False
        self._has_final = False

    def feed(self, text: str, tokens: tuple[Alternative, ...] = ()) -> list[tuple[Channel, Tape]]:
        """What can be told apart by now; the beginning of what may be a mark is held back."""
        self._tape.add(text, tokens)
        return self._read(held=True)

    def finish(self) -> list[tuple[Channel, Tape]]:
        """What was held back."""
        return self._read(held=False)

    def _read(self, *, held: bool) -> list[tuple[Channel, Tape]]:
        out: list[tuple[Channel, Tape]] = []
        while self._tape.text:
            marks = _HARMONY if self._is_harmony else _MARKS
            place, mark = _first_mark(self._tape.text, marks)
            end = place if mark else len(self._tape.text) - (_begun(self._tape.text, marks) if held else 0)
            if end:
                self._words(self._tape.take(end), out)
            if not mark:
                break
            self._tape.take(len(mark))
            self._pass(mark)
        return out

    def _words(self, words: Tape, out: list[tuple[Channel, Tape]]) -> None:
        if self._header is not None:
            self._header += words.text
        elif self._channel is not None:
            out.append((self._channel, words))
            self._has_final = self._has_final or self._channel == "final"

    def _pass(self, mark: str) -> None:
        """Go on behind a mark."""
        self._is_harmony = self._is_harmony or mark in _HARMONY
        if mark in _THINK:
            self._channel = "analysis" if mark == "<think>" else "final"
        elif mark == "<|channel|>":
            self._header = ""
        elif mark == "<|message|>":
            name = (self._header or "final").split()
            self._channel = "final" if name[:1] == ["final"] else "analysis"
            self._header = None
            if self._channel == "final" and self._has_final:
                self._tape.text = "\n" + self._tape.text
                self._tape.tokens = [(place + 1, token) for place, token in self._tape.tokens]
        else:
            self._channel = self._header = None


class StopCutter:
    """Ends an answer before the first of some words; what may be their beginning is held back."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops, self._tape, self.is_stopped = stops, Tape(), False

    def feed(self, words: Tape) -> Tape:
        """What certainly belongs to the answer."""
        for place, token in words.tokens:
            self._tape.tokens.append((len(self._tape.text) + place, token))
        self._tape.text += words.text
        if self.is_stopped:
            return Tape()
        place, stop = _first_mark(self._tape.text, self._stops)
        self.is_stopped = bool(stop)
        return self._tape.take(place if stop else len(self._tape.text) - _begun(self._tape.text, self._stops))

    def finish(self) -> Tape:
        """What was held back."""
        return Tape() if self.is_stopped else self._tape.take(len(self._tape.text))


def _first_mark(text: str, marks: tuple[str, ...]) -> tuple[int, str]:
    """The place of the first mark in `text` and the mark; "" for none."""
    found = [(text.find(mark), -len(mark), mark) for mark in marks if mark in text]
    place, _, mark = min(found, default=(0, 0, ""))
    return place, mark


def _begun(text: str, marks: tuple[str, ...]) -> int:
    """How many letters at the end of `text` may be the beginning of a mark."""
    longest = max(map(len, marks), default=1) - 1
    for length in range(min(longest, len(text)), 0, -1):
        if any(mark.startswith(text[-length:]) for mark in marks):
            return length
    return 0
