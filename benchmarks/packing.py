"""Samples into rows of a fixed number of tokens: best fit over a look-ahead against the naive ways.

Peers, each written here in a few lines: batches padded to their longest sample, 4 and 8 at a time, as trainers without
packing make them; filling in order, a row closed at the first sample that does not fit; and first fit over all open
rows. Equal on all sides: the samples, their order, and both budgets, 32,768 tokens and 192 tiles a row. `fill` is the
share of the row's tokens, or of the padded batch, that is no padding; `ratio` is best fit's fill over the peer's: how
many times fewer tokens a device computes. Times are of the processor; the last line plans one pass from an index, with
reading its lengths and drawing from the mixture.

The samples are synthetic, like the published mix: short questions on 1 to 13 tiles, long reports on up to three images,
instructions and reasoning in words alone.

    python benchmarks/packing.py [--samples 20000]
"""

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from osler.core.rng import generator
from osler.train.fill import Budget, Costed, fill_rows
from osler.train.pack import Lengths, Packing, Selection, plan

ROW_TOKENS, ROW_TILES = 32_768, 192
BUDGET = Budget(ROW_TOKENS, ROW_TILES)
PER_TILE, TILE_PX, PREFIX, LOOK_AHEAD = 144, 336, 20, 512
# Sizes in pixels that become 1, 3, 5, 7, 10 and 13 tiles.
SIZES = ((336, 336), (672, 336), (672, 672), (1008, 672), (1008, 1008), (1344, 1008))
TILES = (1, 3, 5, 7, 10, 13)


def main() -> None:
    num = _arguments().samples
    words, images = mix(num)
    tiles = np.array([sum(TILES[size] for size in each) for each in images])
    tokens = np.minimum(PREFIX + words + PER_TILE * tiles, ROW_TOKENS)
    samples = [Costed(number, int(tokens[number]), int(tiles[number])) for number in range(num)]
    print(
        f"{num} samples, {tokens.mean():.0f} tokens and {tiles.mean():.1f} tiles on average; "
        f"Python {platform.python_version()}, numpy {np.__version__}, one thread of {os.cpu_count()} cores"
    )
    ways: dict[str, Callable[[], float]] = {
        "best fit": lambda: fill_of(fill_rows(samples, BUDGET, order="best_fit", look_ahead=LOOK_AHEAD)),
        "in order": lambda: fill_of(fill_rows(samples, BUDGET)),
        "first fit": lambda: first_fit(samples),
        "padded, 4 at a time": lambda: padded(tokens, 4),
        "padded, 8 at a time": lambda: padded(tokens, 8),
    }
    print(f"{'way':<22}{'fill':>8}{'ratio':>8}{'seconds':>10}")
    best = ways["best fit"]()
    for name, way in ways.items():
        fill, seconds = timed(way)
        print(f"{name:<22}{fill:>8.4f}{best / fill:>8.2f}{seconds:>10.3f}")
    selection, lengths = indexed(words, images)
    num_rows = int(tokens.sum() // ROW_TOKENS)  # one pass over the samples
    fill, seconds = timed(lambda: planned(selection, lengths, num_rows))
    print(f"{'plan from an index':<22}{fill:>8.4f}{'':>8}{seconds:>10.3f}")


def mix(num: int) -> tuple[np.ndarray, list[list[int]]]:
    """Words in tokens of each sample, and the kinds of its images' sizes."""
    random = generator(0, "packing")
    kind = random.choice(4, num, p=[0.45, 0.2, 0.25, 0.1])
    words = (np.array([80, 400, 550, 1800])[kind] * random.lognormal(0, 0.7, num)).astype(int)
    num_images = np.select([kind == 0, kind == 1], [1, random.integers(1, 4, num)], 0)
    size = random.choice(6, num, p=[0.2, 0.1, 0.2, 0.15, 0.15, 0.2])
    return words, [[int(size[number])] * int(num_images[number]) for number in range(num)]


def fill_of(rows: Any) -> float:
    costs = [row.tokens for row in rows]
    return sum(costs) / (len(costs) * ROW_TOKENS)


def first_fit(samples: list[Costed[int]]) -> float:
    """Each sample into the first row that has room, however long ago it was opened."""
    left_tokens, left_tiles = (np.full(len(samples), budget) for budget in (ROW_TOKENS, ROW_TILES))
    num_rows = 0
    for sample in samples:
        fits = (left_tokens[: num_rows + 1] >= sample.tokens) & (left_tiles[: num_rows + 1] >= sample.tiles)
        row = int(fits.argmax())
        left_tokens[row] -= sample.tokens
        left_tiles[row] -= sample.tiles
        num_rows = max(num_rows, row + 1)
    return sum(sample.tokens for sample in samples) / (num_rows * ROW_TOKENS)


def padded(tokens: np.ndarray, batch: int) -> float:
    groups = tokens[: len(tokens) // batch * batch].reshape(-1, batch)
    return float(groups.sum() / (batch * groups.max(1).sum()))


def indexed(words: np.ndarray, images: list[list[int]]) -> tuple[Selection, Lengths]:
    """The samples as index rows: what a plan reads of a store."""
    num = len(words)
    names = [f"s{number}" for number in range(num)]
    table = pa.table(
        {
            "sample_id": names,
            "key": names,
            "shard": ["train-00000"] * num,
            "text_tokens": pa.array(words, pa.int32()),
            "widths": pa.array([[SIZES[size][0] for size in each] for each in images], pa.list_(pa.int32())),
            "heights": pa.array([[SIZES[size][1] for size in each] for each in images], pa.list_(pa.int32())),
        }
    )
    lengths = Lengths(per_estimate=1.0, prefix=PREFIX, per_tile=PER_TILE, tile_px=TILE_PX, max_tiles=12)
    return Selection(None, table, 1.0, np.ones(num)), lengths  # type: ignore[arg-type] # no store: nothing is read


def planned(selection: Selection, lengths: Lengths, num_rows: int) -> float:
    packing = Packing(
        row_tokens=ROW_TOKENS,
        row_tiles=ROW_TILES,
        rows_per_step=1,
        questions_per_image=1,
        window_shards=None,
        order="best_fit",
        look_ahead=LOOK_AHEAD,
        overlong="cut",
    )
    made = plan([selection], [lengths], packing=packing, num_rows=num_rows, seed=0)
    return float(made.tokens.mean() / ROW_TOKENS)


def timed(way: Callable[[], float]) -> tuple[float, float]:
    """The fill, and the median of five times in seconds after a warm-up."""
    fill, times = way(), []
    for _ in range(5):
        start = time.process_time()
        way()
        times.append(time.process_time() - start)
    return fill, statistics.median(times)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare packings.")
    parser.add_argument("--samples", type=int, default=20_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
