"""Answer: what the engine writes, told apart into reasoning and words, cut at the stops, counted."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from osler.serve.chat.channels import Channel, Splitter, StopCutter, Tape
from osler.serve.engine import Alternative, Ask, Engine


@dataclass(frozen=True)
class Delta:
    """The next part of an answer. `finish` is set in the last; the counts are those so far."""

    content: str = ""
    reasoning: str = ""
    tokens: tuple[Alternative, ...] = ()
    finish: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


async def deltas(engine: Engine, ask: Ask, stop: tuple[str, ...]) -> AsyncIterator[Delta]:
    """The answer part by part; both forms of the answer, at once and streamed, are made of these.

    A stop counts in the words of the answer, not in the reasoning. Closing the iterator frees the engine's slot.
    """
    writer = _Writer(stop)
    tokens_in = tokens_out = 0
    async with aclosing(engine.answer(ask)) as pieces:  # type: ignore[type-var]
        async for piece in pieces:
            tokens_in, tokens_out = piece.tokens_in, piece.tokens_out
            delta = writer.delta(piece.text, piece.tokens, piece.reasoning, last=bool(piece.finish))
            if writer.is_stopped or piece.finish:
                yield Delta(*delta, "stop" if writer.is_stopped else piece.finish, tokens_in, tokens_out)
                return
            if any(delta):
                yield Delta(*delta, "", tokens_in, tokens_out)
    yield Delta(*writer.delta("", (), "", last=True), "length", tokens_in, tokens_out)


class _Writer:
    """From raw pieces to (content, reasoning, tokens of the content)."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._splitter, self._cutter = Splitter(), StopCutter(stop)

    @property
    def is_stopped(self) -> bool:
        return self._cutter.is_stopped

    def delta(
        self, text: str, tokens: tuple[Alternative, ...], reasoning: str, *, last: bool
    ) -> tuple[str, str, tuple[Alternative, ...]]:
        parts: list[tuple[Channel, Tape]] = self._splitter.feed(text, tokens)
        parts += self._splitter.finish() if last else []
        said = [self._cutter.feed(words) for channel, words in parts if channel == "final"]
        said += [self._cutter.finish()] if last else []
        thought = reasoning + "".join(words.text for channel, words in parts if channel == "analysis")
        return "".join(w.text for w in said), thought, tuple(each for w in said for each in w.alternatives())
