"""Canaries: 32 questions whose first words tell whether an engine is the model that it should be."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import InputError, OslerError
from osler.core.files import read_json, write_json
from osler.core.log import Log
from osler.core.rng import generator
from osler.media.image import encode_png8
from osler.schema.sample import Turn, image, user
from osler.serve.chat.answer import deltas
from osler.serve.decode.pool import Decoders
from osler.serve.engine import Ask, Engine
from osler.serve.refusal import Refusal

_QUESTIONS = (
    "Is there a pleural effusion?", "Describe the picture.", "Which side is brighter, left or right?",
    "What modality is this?", "Is the heart enlarged?", "Name one finding.", "Is this picture normal?",
    "How many bright areas are there?", "Where is the brightest area?", "Is there a fracture?",
    "What should be done next?", "Write an impression.", "Is there a pneumothorax? Answer yes or no.",
    "Which is more likely?\nA. consolidation\nB. nodule", "Is a line or tube present?", "What is the view?",
)  # fmt: skip
NUM_CANARIES = 2 * len(_QUESTIONS)
_PX = 224
_MAX_TOKENS = 96
_AT_ONCE = 8
_DECODE_TIMEOUT_S = 30.0
_TRIES, _LONGEST_WAIT_S = 5, 5.0


@dataclass(frozen=True)
class First:
    """The first token of an answer, reasoning left out; "" where there was none."""

    token: str
    logprob: float


@dataclass(frozen=True)
class Agreement:
    """How far two models agree. `max_logprob_gap` is taken where the tokens agree."""

    num_equal: int
    num_asked: int
    max_logprob_gap: float

    @property
    def agreement(self) -> float:
        """Share of equal first tokens."""
        return self.num_equal / self.num_asked

    def line(self) -> str:
        """In words."""
        return (
            f"{self.num_equal} of {self.num_asked} canaries begin alike, "
            f"log-probabilities within {self.max_logprob_gap:.4f}"
        )


async def check_agreement(engine: Engine, folder: Path, *, sha256: str, kept: Path, log: Log) -> Agreement:
    """Ask the engine and the local model the same; the local answers are kept for the next start.

    Raises:
        InputError: the engine tells no log-probabilities, without which tokens cannot be compared.
    """
    expected = _kept(kept, sha256)
    if not expected:
        log.info(f"asking the model in {folder} {NUM_CANARIES} canary questions, once")
        expected = await _local(folder, sha256)
        write_json(kept, {"sha256": sha256, "first": [[each.token, each.logprob] for each in expected]})
    return compare(expected, await first_tokens(engine))


def compare(expected: list[First], found: list[First]) -> Agreement:
    """How many begin with the same token."""
    equal = [(e, f) for e, f in zip(expected, found, strict=True) if e.token == f.token]
    gap = max((abs(e.logprob - f.logprob) for e, f in equal), default=0.0)
    return Agreement(len(equal), len(expected), gap)


async def first_tokens(engine: Engine) -> list[First]:
    """What the engine's answers begin with."""
    pixels = _PX * _PX
    decoders = Decoders(num_workers=1, max_pixels=pixels, timeout_s=_DECODE_TIMEOUT_S)
    room = asyncio.Semaphore(_AT_ONCE)
    await engine.start()
    await decoders.start()

    async def ask(turns: tuple[Turn, ...], files: list[bytes]) -> First:
        async with room:
            pictures = await decoders.show(files, engine.tiling)
            asked = Ask(turns=turns, pictures=pictures, max_tokens=_MAX_TOKENS, top_logprobs=0, owner="canary")
            return await _first(engine, asked)

    try:
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(turns, files)) for turns, files in _canaries()]
        return [task.result() for task in asked]
    except* OslerError as failed:
        raise _first_error(failed) from None
    finally:
        await decoders.close()
        await engine.close()


async def _first(engine: Engine, asked: Ask) -> First:
    """Asks again while the engine is busy."""
    for _ in range(_TRIES):
        try:
            return await _try(engine, asked)
        except Refusal as refusal:
            if refusal.status != 503:
                raise
            await asyncio.sleep(min(refusal.retry_after_s or 1.0, _LONGEST_WAIT_S))
    return await _try(engine, asked)


async def _try(engine: Engine, asked: Ask) -> First:
    async with aclosing(deltas(engine, asked, ())) as parts:  # type: ignore[type-var]
        async for part in parts:
            if part.tokens:
                return First(part.tokens[0].text, part.tokens[0].logprob)
            if part.content:
                raise InputError("the engine tells no log-probabilities", fix="Set external.compare_with: null.")
    return First("", 0.0)


def _first_error(group: BaseExceptionGroup[OslerError]) -> OslerError:
    error = group.exceptions[0]
    return error if isinstance(error, OslerError) else _first_error(error)


def _canaries() -> list[tuple[tuple[Turn, ...], list[bytes]]]:
    """Each question without a picture and with one, in which a bright blob lies somewhere in noise."""
    asked: list[tuple[tuple[Turn, ...], list[bytes]]] = [((user(words),), []) for words in _QUESTIONS]
    rows, cols = np.mgrid[0:_PX, 0:_PX]
    for number, words in enumerate(_QUESTIONS):
        random = generator(0, "canary", number)
        row, col = random.uniform(40, _PX - 40, 2)
        blob = (rows - row) ** 2 + (cols - col) ** 2 < 30**2
        pixels = (random.normal(70, 15, (_PX, _PX)) + 110 * blob).clip(0, 255).astype(np.uint8)
        asked.append(((user(image("canary"), words),), [encode_png8(pixels)]))
    return asked


async def _local(folder: Path, sha256: str) -> list[First]:
    from osler.model import checkpoint
    from osler.serve.engines.embedded import EmbeddedEngine

    model, processing = await asyncio.to_thread(checkpoint.load, folder, experts="eager")
    return await first_tokens(EmbeddedEngine(model, processing, name="local", sha256=sha256))


def _kept(path: Path, sha256: str) -> list[First]:
    """The local model's answers of an earlier start, if they are of the same weights."""
    if not path.is_file():
        return []
    value: Any = read_json(path)
    if value.get("sha256") != sha256 or len(value.get("first", ())) != NUM_CANARIES:
        return []
    return [First(str(token), float(logprob)) for token, logprob in value["first"]]
