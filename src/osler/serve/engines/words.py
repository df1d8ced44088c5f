"""Words: token ids to text as they come, without half a character and without undoing what was said."""

import codecs
from functools import lru_cache
from typing import Any, Protocol

from osler.serve.engine import Alternative

_BROKEN = "\N{REPLACEMENT CHARACTER}"
_WAITS = 4  # bytes of the longest character; a byte each is the least that a token can hold


class Words(Protocol):
    """The text of one answer."""

    def add(self, token: int) -> str:
        """What the token adds to the text; "" while a character is not whole."""
        ...

    def finish(self) -> str:
        """What is left: bytes that never became a character."""
        ...


class Vocabulary:
    """The tokens of a tokenizer, as text and as bytes."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._bytes = {letter: byte for byte, letter in _byte_letters().items()}
        self._added = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items()}
        decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
        self._is_byte_level = type(decoder).__name__ == "ByteLevel"
        self.entry = lru_cache(maxsize=65536)(self._entry)

    def words(self) -> Words:
        """For a new answer."""
        return _ByteWords(self) if self._is_byte_level else _DecodedWords(self._tokenizer)

    def alternative(self, token: int, logprob: float, others: tuple[Alternative, ...] = ()) -> Alternative:
        """The token as an answer shows it."""
        text, data = self.entry(token)
        return Alternative(text, data, logprob, others)

    def _entry(self, token: int) -> tuple[str, bytes]:
        """Text and bytes; a token of a byte-level tokenizer has bytes even where they are no whole character."""
        if self._is_byte_level:
            added = self._added.get(token)
            spelled = self._tokenizer.convert_ids_to_tokens(token) or ""
            data = bytes(self._bytes.get(letter, 0x3F) for letter in spelled) if added is None else added.encode()
            return data.decode("utf-8", errors="replace"), data
        text = str(self._tokenizer.decode([token], skip_special_tokens=False))
        return text, text.encode("utf-8", errors="replace")


class _ByteWords:
    """Tokens are bytes, and a character is told when its last byte is there."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._entry = vocabulary.entry
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> str:
        return self._decoder.decode(self._entry(token)[1])

    def finish(self) -> str:
        return self._decoder.decode(b"", final=True)


class _DecodedWords:
    """A token is decoded together with the one before it, because some tokenizers drop the space that begins a text."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._num_told = 0

    def add(self, token: int) -> str:
        self._ids.append(token)
        before, text = self._decode(self._ids[: self._num_told]), self._decode(self._ids)
        waits = text.endswith(_BROKEN) and len(self._ids) - self._num_told < _WAITS
        if waits or len(text) < len(before):
            return ""
        self._ids = self._ids[self._num_told :]
        self._num_told = len(self._ids)
        return text[len(before) :]

    def finish(self) -> str:
        before, text = self._decode(self._ids[: self._num_told]), self._decode(self._ids)
        self._ids, self._num_told = [], 0
        return text[len(before) :]

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False)) if ids else ""


@lru_cache(maxsize=1)
def _byte_letters() -> dict[int, str]:
    """How byte-level BPE spells each byte: those that can be printed by themselves, the others from U+0100 upwards."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {byte: chr(byte) for byte in shown} | {byte: chr(0x100 + n) for n, byte in enumerate(hidden)}
