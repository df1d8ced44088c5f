"""The model in this process, through transformers: greedy, several prompts at a time.

Axes: B prompts, T tokens, N tiles.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.modeling_outputs import BaseModelOutputWithPooling

from osler.infer.generator import Reply, Request
from osler.media.image import decode_image
from osler.model import checkpoint
from osler.model.compose import OslerForConditionalGeneration
from osler.model.processor import OslerProcessor
from osler.model.prompt import Prompter
from osler.schema.media import MediaRef


class LocalBackend:
    """Answers requests with a model folder's model.

    The same requests in the same batches give the same words. In other batches a sum may round otherwise
    and a near tie may fall the other way, so a caller that must repeat a run keeps its batches.

    Args:
        model: a composed model in evaluation mode.
        processing: its processor.
    """

    name = "local"

    def __init__(self, model: OslerForConditionalGeneration, processing: OslerProcessor) -> None:
        self.model = model
        self.pictures = processing.image_processor
        self.tokenizer = processing.tokenizer
        self.prompter = Prompter(self.tokenizer, image_seq_length=processing.image_seq_length)

    @property
    def record(self) -> dict[str, Any]:
        """How answers are decoded."""
        return {
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "temperature": 0.0,
        }

    def generate(self, requests: Sequence[Request]) -> list[Reply]:
        """One reply a request, in order. A batch shares the longest `max_new_tokens`; each reply keeps to its own."""
        if not requests:
            return []
        start = time.perf_counter()
        prompts, tiles, places = self._encode(requests)
        length = max(map(len, prompts))
        pad_id = int(self.tokenizer.pad_token_id)
        padded = [[pad_id] * (length - len(ids)) + ids for ids in prompts]
        mask = [[0] * (length - len(ids)) + [1] * len(ids) for ids in prompts]
        device = self.model.device
        with torch.inference_mode():
            written = self.model.generate(
                input_ids=torch.tensor(padded, device=device),
                attention_mask=torch.tensor(mask, device=device),
                **self._seen(tiles, places),
                max_new_tokens=max(request.max_new_tokens for request in requests),
                do_sample=False,
            )
        latency_ms = (time.perf_counter() - start) * 1000 / len(requests)
        return [
            self._reply(ids.tolist(), len(prompt), request.max_new_tokens, latency_ms)
            for ids, prompt, request in zip(written[:, length:], prompts, requests, strict=True)
        ]

    def _encode(self, requests: Sequence[Request]) -> tuple[list[list[int]], list[torch.Tensor], list[int]]:
        """Prompts, the tiles of the distinct images, and for each image token run of the prompts its tile's number.

        Several questions about one image are asked in a row, and the tower's work on it is done once.
        """
        prompts: list[list[int]] = []
        tiles: list[torch.Tensor] = []
        places: list[int] = []
        known: dict[tuple[bytes, MediaRef], range] = {}
        for request in requests:
            refs = [ref for turn in request.turns for ref in turn.media]
            counts = []
            for picture in zip(request.images, refs, strict=True):
                if picture not in known:
                    cut = self.pictures.tiles(decode_image(*picture))
                    known[picture] = range(len(tiles), len(tiles) + len(cut))
                    tiles += cut
                places += known[picture]
                counts.append(len(known[picture]))
            prompts.append(self.prompter.question(request.turns, counts, reasoning=request.reasoning))
        return prompts, tiles, places

    def _seen(self, tiles: list[torch.Tensor], places: list[int]) -> dict[str, Any]:
        """What `generate` is told of the images; left out, not None, where there are none."""
        if not tiles:
            return {}
        device = self.model.device
        features = self.model.get_image_features(torch.stack(tiles).to(device)).pooler_output
        images = BaseModelOutputWithPooling(pooler_output=features[torch.tensor(places, device=device)])
        return {"mm_encoder_outputs": {"image": images}}

    def _reply(self, ids: list[int], tokens_in: int, max_new_tokens: int, latency_ms: float) -> Reply:
        """Cut at the end token, which the text leaves out; without it the reply is unfinished."""
        ids = ids[:max_new_tokens]
        end_id = int(self.tokenizer.eos_token_id)
        finished = end_id in ids
        ids = ids[: ids.index(end_id)] if finished else ids
        return Reply(
            raw=self.tokenizer.decode(ids, skip_special_tokens=False),
            tokens_in=tokens_in,
            tokens_out=len(ids),
            latency_ms=latency_ms,
            finished=finished,
        )


def open_backend(model: Path, device: str) -> LocalBackend:
    """The backend for a model folder."""
    return LocalBackend(*checkpoint.load(model, device=device, experts="eager"))


BACKEND = open_backend
