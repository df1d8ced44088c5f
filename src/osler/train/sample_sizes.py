"""How long samples are, from the stores' indexes: no image and no text is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from osler.media.tiles import num_tiles
from osler.store.reader import Store, record_starts
from osler.train.sources import Part, parts

# Tokens of the chat template around a question and its answer; with the index's estimate of the words.
TEMPLATE_TOKENS = 30
# Records looked at per source: enough for a mean within a few percent.
_RECORDS = 20_000


@dataclass(frozen=True)
class SampleSizes:
    """Means over samples as they are drawn: `tokens` with those of the `tiles`; what samples share counts once.

    num_samples counts all that the sources hold.
    """

    tokens: float
    tiles: float
    num_samples: int


def measure(
    sources: Sequence[Any],
    *,
    questions_per_image: int,
    tile_px: int,
    max_tiles: int,
    max_upscale: float | None,
    tile_tokens: int,
) -> SampleSizes:
    """Mean sizes over a recipe's `data`.

    Args:
        sources: the recipe's entries, with `shards`, `split`, `tasks`, `licences`, `weight`,
            `withhold_images`, `by_dataset`.
        questions_per_image: most samples that share one visual prefix.
        tile_px, max_tiles, max_upscale: the model's tiling, as in `media.tiles.tile_grid`.
        tile_tokens: language-model tokens of a tile.
    """
    count = partial(num_tiles, tile_px=tile_px, max_tiles=max_tiles, max_upscale=max_upscale)
    sums = np.zeros(3)
    total = 0
    drawn_from = [
        (source, part) for source in sources for part in parts(source, questions_per_image=questions_per_image)
    ]
    for source, part in drawn_from:
        num_samples, drawn, tokens, tiles = _source(source, part, questions_per_image, count)
        total += num_samples
        sums += part.weight * np.array([drawn, tokens + tiles * tile_tokens, tiles])
    return SampleSizes(tokens=float(sums[1] / sums[0]), tiles=float(sums[2] / sums[0]), num_samples=total)


def _source(
    source: Any, part: Part, questions_per_image: int, count: Callable[[int, int], int]
) -> tuple[int, float, float, float]:
    """Samples in all; then per record drawn: samples, text tokens and tiles."""
    table = Store(source.shards).table(
        source.split,
        tasks=list(source.tasks) if source.tasks else None,
        licences=list(source.licences) if source.licences else None,
        datasets=part.datasets,
    )
    starts = record_starts(table)
    sizes = np.diff([*starts, table.num_rows])
    asked = np.minimum(sizes, questions_per_image)
    words = table.column("text_tokens").to_numpy()
    text = np.add.reduceat(words, starts) / sizes * asked + TEMPLATE_TOKENS
    if source.withhold_images:
        return table.num_rows, float(asked.mean()), float(text.mean()), 0.0
    some = table.take(starts[:: max(1, len(starts) // _RECORDS)])
    shapes = zip(some.column("widths").to_pylist(), some.column("heights").to_pylist(), strict=True)
    counts = [sum(count(*size) for size in zip(*shape, strict=True)) for shape in shapes]
    return table.num_rows, float(asked.mean()), float(text.mean()), float(np.mean(counts))
