"""Samples into rows: which questions of which images share a row, as a pure function of index, seed and step.

Nothing here opens a tar: lengths and tiles come from the index.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.tiles import num_tiles
from osler.store.mixture import Mixture, Source
from osler.store.reader import Store, record_starts

# Steps whose rows are sorted by length together: enough to find like ones, few enough to keep the order random.
_STEPS_SORTED = 16


@dataclass(frozen=True)
class Selection:
    """One store's samples as training sees them.

    Args:
        store: where the bytes are.
        table: the chosen samples' index rows; those of one record are neighbours.
        weight: share of this selection among the records drawn.
        task_weights: per index row, its weight among the questions of its image.
        withhold_images: only the words are shown.
    """

    store: Store
    table: pa.Table
    weight: float
    task_weights: np.ndarray
    withhold_images: bool = False

    def records(self) -> list[np.ndarray]:
        """Index rows of each record, in table order."""
        return np.split(np.arange(self.table.num_rows), record_starts(self.table)[1:])


@dataclass(frozen=True)
class Document:
    """Samples of one record that are asked together: index rows `rows` of selection number `selection`."""

    selection: int
    rows: tuple[int, ...]


Row = tuple[Document, ...]


@dataclass(frozen=True)
class Lengths:
    """How index rows become tokens, for one model.

    Args:
        per_estimate: real text tokens per estimated one, measured on a few samples with the real tokenizer.
        prefix: tokens of the template before the question.
        per_tile: image tokens per tile.
        tile_px, max_tiles: the model's tiling.
    """

    per_estimate: float
    prefix: int
    per_tile: int
    tile_px: int
    max_tiles: int

    def of(self, selection: Selection) -> tuple[np.ndarray, np.ndarray]:
        """Per index row: tokens of the shared prefix, tokens of the sample's own branch."""
        table = selection.table
        text = np.ceil(table.column("text_tokens").to_numpy() * self.per_estimate).astype(np.int64)
        if selection.withhold_images:  # nothing is shared
            return np.zeros_like(text), text + self.prefix
        sizes = zip(table.column("widths").to_pylist(), table.column("heights").to_pylist(), strict=True)
        tiles = np.array([sum(map(self._tiles, *size)) for size in sizes], dtype=np.int64)
        return self.prefix + tiles * self.per_tile, text

    def _tiles(self, width: int, height: int) -> int:
        return num_tiles(width, height, tile_px=self.tile_px, max_tiles=self.max_tiles)


def select(
    store: Store,
    *,
    split: str,
    tasks: dict[str, float] | None,
    licences: tuple[str, ...] | None,
    weight: float,
    withhold_images: bool = False,
) -> Selection:
    """The chosen part of a store. Raises InputError where nothing is chosen."""
    table = store.table(split, tasks=list(tasks) if tasks else None, licences=list(licences) if licences else None)
    names = table.column("task").to_pylist()
    missing = sorted(set(tasks or ()) - set(names))
    if missing or not names:
        found = sorted(set(store.table(split).column("task").to_pylist()))
        raise InputError(
            f"no samples of {', '.join(missing) or 'any task'} in split {split!r} of {store.folder}",
            expected=f"one of {', '.join(found)}",
        )
    weights = np.array([(tasks or {}).get(name, 1.0) for name in names])
    return Selection(store, table, weight, weights, withhold_images)


def plan_rows(
    selections: list[Selection],
    lengths: list[Lengths],
    *,
    num_rows: int,
    rows_per_step: int,
    row_tokens: int,
    questions_per_image: int,
    seed: int,
    window_shards: int | None,
) -> list[Row]:
    """The first `num_rows` rows of training, in order.

    Records are drawn from the mixture; of each, up to `questions_per_image` samples by their weights; rows
    are filled in that order and closed before they exceed `row_tokens`. A document longer than a row is a
    row of its own. Steps are then made of rows of like length, which are padded less.
    """
    lot = rows_per_step * _STEPS_SORTED
    rows: list[Row] = []
    filled_rows = _filled_rows(
        selections,
        lengths,
        row_tokens=row_tokens,
        questions_per_image=questions_per_image,
        seed=seed,
        window_shards=window_shards,
    )
    while len(rows) < num_rows:
        by_length = sorted(itertools.islice(filled_rows, lot), key=lambda row: row[1])
        order = generator(seed, "steps", len(rows)).permutation(_STEPS_SORTED)
        rows += [by_length[step * rows_per_step + place][0] for step in order for place in range(rows_per_step)]
    return rows[:num_rows]


def _filled_rows(
    selections: list[Selection],
    lengths: list[Lengths],
    *,
    row_tokens: int,
    questions_per_image: int,
    seed: int,
    window_shards: int | None,
) -> Iterator[tuple[Row, int]]:
    """Rows without end, each with its tokens."""
    open_row: list[Document] = []
    filled = 0
    measured = [length.of(selection) for selection, length in zip(selections, lengths, strict=True)]
    for document in _documents(selections, questions_per_image, seed, window_shards):
        prefix, own = measured[document.selection]
        picked = np.array(document.rows)
        tokens = int(prefix[picked[0]] + own[picked].sum())
        if open_row and filled + tokens > row_tokens:
            yield tuple(open_row), filled
            open_row, filled = [], 0
        open_row.append(document)
        filled += tokens


def _documents(
    selections: list[Selection], questions_per_image: int, seed: int, window_shards: int | None
) -> Iterator[Document]:
    records = [selection.records() for selection in selections]
    mixture = Mixture(
        {
            str(number): _mixed(selection, rows, window_shards)
            for number, (selection, rows) in enumerate(zip(selections, records, strict=True))
        },
        seed,
    )
    for position in itertools.count():
        draw = mixture.draw(position)
        number = int(draw.source)
        rows, weights = records[number][draw.row], selections[number].task_weights
        if len(rows) > questions_per_image:
            random = generator(seed, "questions", number, draw.row, draw.epoch)
            rows = _weighted(rows, weights[rows], questions_per_image, random)
        yield Document(number, tuple(rows.tolist()))


def _weighted(rows: np.ndarray, weights: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` of `rows` without replacement, in their order (exponential keys, Efraimidis and Spirakis 2006)."""
    keys = random.exponential(size=len(rows)) / weights
    return np.sort(rows[np.argsort(keys)[:count]])


def _mixed(selection: Selection, records: list[np.ndarray], window_shards: int | None) -> Source:
    shards = None
    if window_shards is not None:
        codes = selection.table.column("shard").combine_chunks().dictionary_encode().indices.to_numpy()
        shards = codes[[rows[0] for rows in records]]
    return Source(len(records), selection.weight, shards, window_shards or 1)
