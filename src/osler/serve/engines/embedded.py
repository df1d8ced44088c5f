"""The model in this process: one thread writes for up to `num_slots` requests at once, a token each a step."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch

from osler.model.compose import OslerForConditionalGeneration
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.serve.engine import Abilities, Alternative, Ask, Piece, Shown, Tiling
from osler.serve.engines.batch import Batch
from osler.serve.engines.choose import Chooser, next_tokens
from osler.serve.engines.features import FeatureCache, seen
from osler.serve.engines.words import Vocabulary, Words
from osler.serve.refusal import Refusal

_CLOSE_TIMEOUT_S = 30.0


@dataclass(eq=False)
class _Row:
    """One request under way. `told` holds pieces, or what went wrong, for the coroutine that waits for it."""

    ask: Ask
    prompt: list[int]
    told: asyncio.Queue[Piece | Refusal]
    words: Words
    chooser: Chooser
    is_left: threading.Event = field(default_factory=threading.Event)
    tokens_out: int = 0


class EmbeddedEngine:
    """Answers with a composed model.

    Args:
        model: in evaluation mode. processing: its processor.
        name: its public name. sha256: over its files.
        num_slots: requests that are written at once; others wait in the order in which they came.
        max_prefill_tokens: prompts of new requests read at once, padding included; a single longer one is read alone.
        feature_cache_bytes: of pictures' embeddings that are kept for further questions.
    """

    abilities = Abilities()

    def __init__(
        self,
        model: OslerForConditionalGeneration,
        processing: OslerProcessor,
        *,
        name: str,
        sha256: str,
        num_slots: int = 16,
        max_prefill_tokens: int = 16384,
        feature_cache_bytes: int = 256 << 20,
    ) -> None:
        self.model, self.model_sha256 = name, sha256
        pictures = processing.image_processor
        self.tiling: Tiling | None = Tiling(
            pictures.tile_px, pictures.min_tiles, pictures.max_tiles, pictures.max_upscale
        )
        self._tokenizer = processing.tokenizer
        self._prompter = Prompter(self._tokenizer, image_seq_length=processing.image_seq_length)
        self._vocabulary = Vocabulary(self._tokenizer)
        self._end_id = int(self._tokenizer.eos_token_id)
        self._max_context = int(model.config.text_config.max_position_embeddings)
        self._net, self._batch = model, Batch(model, int(self._tokenizer.pad_token_id))
        self._num_slots, self._max_prefill_tokens = num_slots, max_prefill_tokens
        self._num_together = num_slots
        self.features = FeatureCache(feature_cache_bytes)
        self._arrivals: queue.SimpleQueue[_Row | None] = queue.SimpleQueue()
        self._waiting: list[_Row] = []
        self._rows: list[_Row] = []
        self._last = torch.zeros(0, dtype=torch.long, device=model.device)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._preparing: ThreadPoolExecutor | None = None
        self._problem = ""

    @property
    def num_active(self) -> int:
        """Requests that are being written."""
        return len(self._rows)

    async def start(self) -> None:
        """Start the thread that writes."""
        self._loop = asyncio.get_running_loop()
        # One thread: a tokenizer is not made for several.
        self._preparing = ThreadPoolExecutor(1, "prompt")
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Stop after the step under way."""
        if self._thread is not None and self._preparing is not None:
            self._arrivals.put(None)
            await asyncio.to_thread(self._thread.join, _CLOSE_TIMEOUT_S)
            self._preparing.shutdown()
            self._thread = self._preparing = None

    async def problem(self) -> str:
        """Why nothing is written; "" while all is well."""
        return self._problem or ("" if self._thread and self._thread.is_alive() else "the engine is not running")

    async def answer(self, ask: Ask) -> AsyncIterator[Piece]:
        """See `Engine.answer`; a row that is left is dropped at the next step."""
        prompt = await asyncio.get_running_loop().run_in_executor(self._preparing, self._prompt, ask)
        row = _Row(ask, prompt, asyncio.Queue(), self._vocabulary.words(), Chooser(ask))
        self._arrivals.put(row)
        try:
            while True:
                piece = await row.told.get()
                if isinstance(piece, Refusal):
                    raise piece
                yield piece
                if piece.finish:
                    return
        finally:
            row.is_left.set()

    def _prompt(self, ask: Ask) -> list[int]:
        counts = [shown.num_tiles for shown in ask.pictures]
        prompt = self._prompter.question(ask.turns, counts, reasoning=ask.reasoning)
        if len(prompt) + ask.max_tokens > self._max_context:
            raise Refusal(
                400,
                f"{len(prompt)} tokens with {ask.max_tokens} to write exceed the model's {self._max_context}",
                code="context_length_exceeded",
                param="messages",
            )
        return prompt

    def _run(self) -> None:
        """The engine's thread: take in, write, until told to stop."""
        with torch.inference_mode():
            while self._take_arrivals():
                try:
                    self._drop_left()
                    self._admit()
                    self._step()
                except Exception as error:  # noqa: BLE001 - e.g. out of memory; its text may tell of the request
                    self._fail(type(error).__name__)
        self._fail("closed")

    def _take_arrivals(self) -> bool:
        """Move arrivals to those who wait; sleeps while there is nothing to do. False where the engine is to stop."""
        is_idle = not (self._rows or self._waiting)
        while True:
            try:
                row = self._arrivals.get(block=is_idle)
            except queue.Empty:
                return True
            if row is None:
                return False
            self._waiting.append(row)
            is_idle = False

    def _drop_left(self) -> None:
        self._waiting = [row for row in self._waiting if not row.is_left.is_set()]
        self._keep([not row.is_left.is_set() for row in self._rows])

    def _keep(self, kept: list[bool]) -> None:
        if all(kept):
            return
        numbers = [number for number, is_kept in enumerate(kept) if is_kept]
        self._batch.keep(numbers)
        self._rows = [self._rows[number] for number in numbers]
        self._last = self._last[torch.tensor(numbers, dtype=torch.long, device=self._last.device)]

    def _admit(self) -> None:
        """Read the prompts of as many as there is room for, and write their first tokens."""
        self._num_together = self._num_together if self._waiting else self._num_slots
        new: list[_Row] = []
        longest = 0
        while self._waiting and len(new) < min(self._num_slots - len(self._rows), self._num_together):
            longest = max(longest, len(self._waiting[0].prompt))
            if new and longest * (len(new) + 1) > self._max_prefill_tokens:
                break
            new.append(self._waiting.pop(0))
        if not new:
            return
        try:
            self._join(new)
        except Exception as error:  # noqa: BLE001 - one request that cannot be read must not take the others along
            if len(new) > 1:
                self._waiting, self._num_together = new + self._waiting, 1  # read one by one from now on
            else:
                self._tell([(new[0], _failed(type(error).__name__))])

    def _join(self, new: list[_Row]) -> None:
        logits = self._batch.join([row.prompt for row in new], self._seen(new))
        self._rows += new
        self._last = torch.cat([self._last, self._write(new, logits)])
        self._keep([not row.is_left.is_set() for row in self._rows])

    def _step(self) -> None:
        if not self._rows:
            return
        self._last = self._write(self._rows, self._batch.step(self._last))
        self._keep([not row.is_left.is_set() for row in self._rows])

    def _write(self, rows: list[_Row], logits_BV: torch.Tensor) -> torch.Tensor:
        """Choose and tell each row's next token; a row that is finished counts as left."""
        chosen = next_tokens(logits_BV, [row.chooser for row in rows])
        wanted = [number for number, row in enumerate(rows) if row.ask.top_logprobs is not None]
        logprobs = dict(zip(wanted, torch.log_softmax(logits_BV[wanted], -1), strict=True)) if wanted else {}
        pieces: list[tuple[_Row, Piece]] = []
        for number, (row, token) in enumerate(zip(rows, chosen.tolist(), strict=True)):
            row.tokens_out += 1
            is_last = token == self._end_id or row.tokens_out >= row.ask.max_tokens
            text = row.words.add(token) + (row.words.finish() if is_last else "")
            tokens = (self._alternative(token, logprobs[number], row.ask.top_logprobs),) if number in logprobs else ()
            finish = "stop" if token == self._end_id else ("length" if is_last else "")
            pieces.append((row, Piece(text, "", tokens, finish, len(row.prompt), row.tokens_out)))
            if is_last:
                row.is_left.set()
        self._tell(pieces)
        return chosen

    def _alternative(self, token: int, logprobs_V: torch.Tensor, number: int | None) -> Alternative:
        others: tuple[Alternative, ...] = ()
        if number:
            best = logprobs_V.topk(min(number, len(logprobs_V)))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            others = tuple(self._vocabulary.alternative(each, value) for each, value in pairs)
        return self._vocabulary.alternative(token, float(logprobs_V[token]), others)

    def _seen(self, rows: list[_Row]) -> torch.Tensor | None:
        """Embeddings of all tiles of the rows, in order; the tower works on pictures that are not kept."""
        pictures = [
            (shown, seen(shown, row.ask.owner, self.model_sha256)) for row in rows for shown in row.ask.pictures
        ]
        if not pictures:
            return None
        found = {key: self.features.get(key) for _, key in pictures}
        new = {key: shown for shown, key in pictures if found[key] is None}
        if new:
            tiles = torch.cat([self._tiles(shown) for shown in new.values()]).to(self._net.device)
            made = self._net.get_image_features(tiles).pooler_output
            for key, features in zip(new, made.split([shown.num_tiles for shown in new.values()]), strict=True):
                self.features.put(key, features)
                found[key] = features
        return torch.cat([found[key] for _, key in pictures])

    def _tiles(self, shown: Shown) -> torch.Tensor:
        side = self.tiling.tile_px if self.tiling else 0
        return torch.from_numpy(np.frombuffer(shown.data, np.uint8).reshape(shown.num_tiles, 3, side, side).copy())

    def _tell(self, pieces: Sequence[tuple[_Row, Piece | Refusal]]) -> None:
        """Hand a step's pieces to those who wait: once for all, as each call wakes the other thread."""

        def hand() -> None:
            for row, piece in pieces:
                row.told.put_nowait(piece)

        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(hand)

    def _fail(self, reason: str) -> None:
        """Nobody waits for what will not come."""
        self._tell([(row, _failed(reason)) for row in [*self._rows, *self._waiting]])
        self._keep([False] * len(self._rows))
        self._waiting = []


def _failed(reason: str) -> Refusal:
    return Refusal(503, f"the engine failed at this request ({reason})", code="engine_failed", retry_after_s=5)
