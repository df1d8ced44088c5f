"""Pictures with their words, for contrastive training: which records take part, and which words a picture gets.

Axes: B pairs, C H W pixels, T tokens.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from PIL import Image

from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.core.rng import generator
from osler.media.image import open_picture
from osler.schema.sample import Sample
from osler.store.reader import record_starts
from osler.train.pack import Lengths, Selection, plan_rows
from osler.train.rows import Row, Rows

# Records read to train a tokenizer and to see how many texts are cut.
_RECORDS_READ = 2000
_LONG = "text"  # the kind of an answer that is a caption or a report


def with_words(selection: Selection, texts: tuple[str, ...]) -> tuple[Selection, dict[str, int]]:
    """The part of a selection that has pictures and the words asked for, and how many records are left out, by reason.

    Args:
        selection: what a recipe's `data` chooses.
        texts: see `ContrastConfig`.

    Raises:
        InputError: nothing is left.
    """
    table = selection.table
    has_picture = np.asarray(pc.list_value_length(table.column("media_names"))) > 0
    is_long = np.asarray(pc.equal(table.column("answer_kind"), _LONG))
    wanted = np.zeros(table.num_rows, dtype=bool)
    if "caption" in texts or "mention" in texts:
        wanted |= is_long
    if "answer" in texts:
        wanted |= ~is_long
    kept = has_picture & wanted
    if not kept.any():
        raise InputError(
            f"no record of {selection.store.folder} has a picture with words",
            expected=f"samples with {' or '.join(texts)}",
            fix="Name other shards, or add to the recipe's texts.",
        )
    starts = record_starts(table)
    records = np.add.reduceat(np.stack([has_picture, kept]).astype(np.int64), starts, axis=1) > 0
    dropped = {"no_picture": int((~records[0]).sum()), "no_words": int((records[0] & ~records[1]).sum())}
    chosen = table.filter(pa.array(kept))
    return replace(selection, table=chosen, task_weights=selection.task_weights[kept]), dropped


def pair_rows(selections: list[Selection], *, num_rows: int, seed: int, window_shards: int | None = None) -> Rows:
    """`num_rows` pairs in the order of training: records drawn from the mixture, one sample of each."""
    return plan_rows(
        selections,
        [Lengths(per_estimate=0.0, prefix=1, per_tile=0, tile_px=1, max_tiles=1) for _ in selections],
        num_rows=num_rows,
        rows_per_step=1,
        row_tokens=1,  # every pair is a row of its own
        questions_per_image=1,
        seed=seed,
        window_shards=window_shards,
    )


def words_of(sample: Sample, texts: tuple[str, ...]) -> list[str]:
    """What may stand for the sample's picture; never empty for a sample that `with_words` has kept."""
    found = []
    if sample.answer.kind == _LONG:
        found += [sample.answer.text] if "caption" in texts else []
        found += [mention.text for mention in sample.mentions] if "mention" in texts else []
        found = found or [sample.answer.text]  # `mention` alone, of a figure that nobody mentions
    else:
        found += [f"{sample.question} {sample.answer.text}"]
    return found


def corpus(selections: Sequence[Selection], texts: tuple[str, ...]) -> Iterator[str]:
    """All words of records spread evenly over each selection."""
    for selection in selections:
        starts = record_starts(selection.table)
        chosen = starts[:: max(1, len(starts) // _RECORDS_READ)]
        for row in selection.store.rows(selection.table, chosen):
            yield from words_of(selection.store.sample(row), texts)


class PairCollator:
    """Turns row numbers into pictures and tokens; a pure function of the row number.

    Args:
        selections, rows: what to read.
        image_size: side of the towers' square in pixels.
        tokens: texts to token tensors.
        texts: see `ContrastConfig`.
        seed: of the draws of words and crops.
        min_crop: see `ContrastConfig`.
    """

    def __init__(
        self,
        selections: Sequence[Selection],
        rows: Sequence[Row],
        *,
        image_size: int,
        tokens: Callable[[Sequence[str]], dict[str, torch.Tensor]],
        texts: tuple[str, ...],
        seed: int,
        min_crop: float = 1.0,
    ) -> None:
        self.selections = selections
        self.rows = rows
        self.image_size = image_size
        self.tokens = tokens
        self.texts = texts
        self.seed = seed
        self.min_crop = min_crop

    def __call__(self, features: Sequence[dict[str, int]]) -> dict[str, torch.Tensor]:
        """`pixel_values` [B, 3, H, W] uint8, `input_ids` [B, T] and the like, `pair_ids` [B, 2] int64."""
        pairs = [self.read(feature["row"]) for feature in features]
        ids = [[_number(text.encode()), _number(picture)] for text, picture, _ in pairs]
        return {
            "pixel_values": torch.from_numpy(np.stack([pixels for _, _, pixels in pairs])),
            **self.tokens([text for text, _, _ in pairs]),
            "pair_ids": torch.tensor(ids, dtype=torch.int64),
        }

    def read(self, number: int) -> tuple[str, bytes, np.ndarray]:
        """Words, the picture's bytes and its pixels uint8 [3, H, W] of a row."""
        document = self.rows[number][0]
        selection = self.selections[document.selection]
        row = selection.store.rows(selection.table, document.rows)[0]
        sample = selection.store.sample(row)
        random = generator(self.seed, "pair", number)
        words = words_of(sample, self.texts)
        text = words[int(random.integers(len(words)))]
        place = int(random.integers(len(sample.media)))
        data = selection.store.media(row)[place]
        picture = open_picture(data, sample.media[place]).convert("RGB")
        return text, data, _square(picture, self.image_size, self._crop(picture.size, random))

    def _crop(self, size: tuple[int, int], random: np.random.Generator) -> tuple[float, float, float, float]:
        """Left, upper, right, lower edge of a part of the picture in its own proportions."""
        share = float(np.sqrt(random.uniform(self.min_crop, 1.0)))
        left, upper = (float(random.uniform(0, edge * (1 - share))) for edge in size)
        return left, upper, left + size[0] * share, upper + size[1] * share


def share_cut(texts: Sequence[str], tokenizer: Any, max_tokens: int) -> float:
    """The share of texts that are longer than the text tower reads."""
    lengths = [len(ids) for ids in tokenizer(list(texts))["input_ids"]]
    return sum(length > max_tokens for length in lengths) / max(1, len(lengths))


def _square(picture: Image.Image, edge: int, box: tuple[float, float, float, float]) -> np.ndarray:
    """The part in `box`, resized to a square: uint8 [3, edge, edge]."""
    resized = picture.resize((edge, edge), Image.Resampling.BICUBIC, box=box)
    return np.ascontiguousarray(np.asarray(resized).transpose(2, 0, 1))


def _number(data: bytes) -> int:
    """A number that tells bytes apart, of 63 bits."""
    return int(sha256_bytes(data)[:16], 16) >> 1
