"""Samples into rows: which questions of which images share a row, as a pure function of index, seed and step.

Nothing here opens a tar: lengths and tiles come from the index.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.tiles import num_tiles
from osler.store.mixture import Mixture, Source
from osler.store.reader import Store, record_starts
from osler.train.fill import Budget, Costed, Order, fill_rows
from osler.train.rows import Document, Row, Rows

Overlong = Literal["keep", "cut", "drop"]

# Steps whose rows are sorted by length together: enough to find like ones, few enough to keep the order random.
_STEPS_SORTED = 16

# Of a row whose words are to be cut, images may not take the last sixteenth.
_ROOM_FOR_WORDS = 16
_IDS_SHOWN = 20


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


@dataclass(frozen=True)
class Packing:
    """Plain values of a stage's `pack:`.

    Args:
        row_tokens: a row is closed before it exceeds this many tokens, estimated from the index.
        row_tiles: a row is closed before it exceeds this many tiles; None does not limit them.
        rows_per_step: rows in one forward pass.
        questions_per_image: most samples that share one visual prefix.
        window_shards: shards mixed at once by the shuffle; None shuffles globally.
        order: see `fill_rows`.
        look_ahead: see `fill_rows`.
        overlong: what becomes of a sample that alone exceeds a row. `keep`: it is a row of its own, longer than the
            others. `cut`: the collator shortens its words; one whose images alone are too many is refused by name.
            `drop`: it is left out, counted by reason. Except under `keep`, questions about one image that together
            exceed a row are spread over several documents, each with its own visual prefix.
    """

    row_tokens: int
    row_tiles: int | None
    rows_per_step: int
    questions_per_image: int
    window_shards: int | None
    order: Order
    look_ahead: int
    overlong: Overlong

    @property
    def budget(self) -> Budget:
        """Of one row."""
        return Budget(self.row_tokens, self.row_tiles)


@dataclass(frozen=True)
class Plan:
    """The rows of a run, and what was left out of it.

    Args:
        rows: in the order of training.
        tokens: estimated, of each row; shape [rows], int64.
        tiles: of each row; shape [rows], int64.
        records: of each selection, those left to draw from.
        overlong: samples of the selections that exceed a row by themselves.
        dropped: of these, the number left out by reason.
        dropped_ids: the first of them by name.
    """

    rows: Rows
    tokens: np.ndarray
    tiles: np.ndarray
    records: tuple[int, ...]
    overlong: int
    dropped: dict[str, int]
    dropped_ids: tuple[str, ...]


@dataclass(frozen=True)
class Lengths:
    """How index rows become tokens, for one model.

    Args:
        per_estimate: real text tokens per estimated one, measured on a few samples with the real tokenizer.
        prefix: tokens of the template before the question.
        per_tile: image tokens per tile.
        tile_px: the model's tiling, as in `media.tiles.tile_grid`; the next three too.
        max_tiles: see `tile_px`.
        min_tiles: see `tile_px`.
        max_upscale: see `tile_px`.
    """

    per_estimate: float
    prefix: int
    per_tile: int
    tile_px: int
    max_tiles: int
    min_tiles: int = 1
    max_upscale: float | None = None

    def of(self, selection: Selection) -> tuple[np.ndarray, np.ndarray]:
        """Per index row: tokens of the shared prefix, tokens of the sample's own branch."""
        table = selection.table
        text = np.ceil(table.column("text_tokens").to_numpy() * self.per_estimate).astype(np.int64)
        if selection.withhold_images:  # nothing is shared
            return np.zeros_like(text), text + self.prefix
        return self.prefix + self.tiles(selection) * self.per_tile, text

    def tiles(self, selection: Selection) -> np.ndarray:
        """Per index row: tiles of all its images by the model's own rule. Shape [rows], int64."""
        table = selection.table
        tiles = np.zeros(table.num_rows, dtype=np.int64)
        if selection.withhold_images:
            return tiles
        owner = pc.list_parent_indices(table.column("widths").combine_chunks()).to_numpy()
        widths, heights = (
            pc.list_flatten(table.column(name)).to_numpy().astype(np.int64) for name in ("widths", "heights")
        )
        # Few sizes in many images: each is looked up once, both sides as one number because that sorts faster.
        sizes, size_of = np.unique(widths << 32 | heights, return_inverse=True)
        counts = np.array([self._tiles(int(size) >> 32, int(size) & 0xFFFFFFFF) for size in sizes], dtype=np.int64)
        np.add.at(tiles, owner, counts[size_of])
        return tiles

    def _tiles(self, width: int, height: int) -> int:
        return num_tiles(
            width,
            height,
            tile_px=self.tile_px,
            min_tiles=self.min_tiles,
            max_tiles=self.max_tiles,
            max_upscale=self.max_upscale,
        )


def select(
    store: Store,
    *,
    split: str,
    tasks: dict[str, float] | None,
    licences: tuple[str, ...] | None,
    weight: float,
    withhold_images: bool = False,
    datasets: tuple[str, ...] | None = None,
) -> Selection:
    """The chosen part of a store. Raises InputError where nothing is chosen."""
    table = store.table(split, tasks=list(tasks) if tasks else None, licences=licences or None, datasets=datasets)
    names = pc.unique(table.column("task")).to_pylist()
    missing = sorted(set(tasks or ()) - set(names))
    if missing or not names:
        found = sorted(pc.unique(store.table(split).column("task")).to_pylist())
        raise InputError(
            f"no samples of {', '.join(missing) or 'any task'} in split {split!r} of {store.folder}",
            expected=f"one of {', '.join(found)}",
        )
    weight_of = np.array([(tasks or {}).get(name, 1.0) for name in names], dtype=np.float64)
    weights = weight_of[pc.index_in(table.column("task"), pa.array(names)).to_numpy()]
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
) -> Rows:
    """The first `num_rows` rows of the plainest `plan`: in the order of the stream, tiles not limited."""
    packing = Packing(
        row_tokens=row_tokens,
        row_tiles=None,
        rows_per_step=rows_per_step,
        questions_per_image=questions_per_image,
        window_shards=window_shards,
        order="stream",
        look_ahead=1,
        overlong="keep",
    )
    return plan(selections, lengths, packing=packing, num_rows=num_rows, seed=seed).rows


def plan(selections: list[Selection], lengths: list[Lengths], *, packing: Packing, num_rows: int, seed: int) -> Plan:
    """The first `num_rows` rows of training, in order; a longer plan begins with the rows of a shorter one.

    Records are drawn from the mixture; of each, up to `questions_per_image` samples by their weights; rows are
    filled with them. Steps are then made of rows of like length, which are padded less.

    Raises:
        InputError: a selection has nothing that fits a row, or a sample can neither be held nor cut.
    """
    sources = [_Samples.of(selection, length, packing) for selection, length in zip(selections, lengths, strict=True)]
    documents = _documents(selections, sources, packing, seed)
    filled = fill_rows(documents, packing.budget, order=packing.order, look_ahead=packing.look_ahead)
    rows = Rows()
    tokens, tiles = np.zeros((2, num_rows), dtype=np.int64)
    for number, row in enumerate(itertools.islice(_in_steps(filled, packing.rows_per_step, seed), num_rows)):
        rows.append(row.item)
        tokens[number], tiles[number] = row.tokens, row.tiles
    return Plan(
        rows,
        tokens,
        tiles,
        tuple(source.num_records for source in sources),
        sum(source.overlong for source in sources),
        dict(sorted(sum((source.dropped for source in sources), Counter()).items())),
        tuple(name for source in sources for name in source.dropped_ids)[:_IDS_SHOWN],
    )


def _in_steps(filled: Iterator[Costed[Row]], rows_per_step: int, seed: int) -> Iterator[Costed[Row]]:
    """The same rows without end, those of a step of like length, the steps in random order."""
    lot = rows_per_step * _STEPS_SORTED
    for start in itertools.count(step=lot):
        by_length = sorted(itertools.islice(filled, lot), key=lambda row: row.tokens)
        for step in generator(seed, "steps", start).permutation(_STEPS_SORTED):
            yield from by_length[step * rows_per_step : (step + 1) * rows_per_step]


@dataclass(frozen=True)
class _Samples:
    """What one selection offers: the samples that may be drawn, grouped by record, and what all of them cost.

    kept: index rows, those of one record neighbours; record n holds kept[starts[n] : starts[n + 1]].
    prefix, own: tokens; tiles: of all images; each per index row.
    """

    kept: np.ndarray
    starts: np.ndarray
    prefix: np.ndarray
    own: np.ndarray
    tiles: np.ndarray
    overlong: int
    dropped: Counter[str]
    dropped_ids: tuple[str, ...]

    @staticmethod
    def of(selection: Selection, lengths: Lengths, packing: Packing) -> "_Samples":
        """Measure a selection and leave out what must be left out."""
        prefix, own = lengths.of(selection)
        tiles = lengths.tiles(selection)
        reasons = _overlong(prefix, own, tiles, packing)
        too_long = np.logical_or.reduce(list(reasons.values()))
        if packing.overlong == "cut":
            _refuse_uncuttable(selection, reasons, packing)
        allowed = ~too_long if packing.overlong == "drop" else np.ones(len(own), dtype=bool)
        dropped_ids = selection.table.column("sample_id").filter(pa.array(~allowed))[:_IDS_SHOWN].to_pylist()
        if not allowed.any():
            raise InputError(
                f"no sample of {selection.store.folder} fits a row",
                expected=f"samples of at most {packing.row_tokens} tokens and {packing.row_tiles} tiles",
                got=f"{', '.join(dropped_ids[:3])} and {len(own)} in all",
                fix="Raise pack.row_tokens or pack.row_tiles.",
            )
        record_of_row = np.zeros(len(own), dtype=np.int64)
        record_of_row[record_starts(selection.table)[1:]] = 1
        kept = np.flatnonzero(allowed)
        starts = np.flatnonzero(np.diff(record_of_row.cumsum()[kept], prepend=-1))
        counts = {reason: int(mask.sum()) for reason, mask in reasons.items() if packing.overlong == "drop"}
        return _Samples(
            kept,
            np.append(starts, len(kept)),
            prefix,
            own,
            tiles,
            int(too_long.sum()),
            Counter({reason: count for reason, count in counts.items() if count}),
            tuple(dropped_ids),
        )

    @property
    def num_records(self) -> int:
        """Records with at least one sample."""
        return len(self.starts) - 1

    def record(self, number: int) -> np.ndarray:
        """Index rows of a record."""
        return self.kept[self.starts[number] : self.starts[number + 1]]

    def documents(self, number: int, rows: np.ndarray, packing: Packing) -> Iterable[Costed[Document]]:
        """Questions about one record's images, as one document or, where they exceed a row, as several."""
        first = int(rows[0])
        prefix, tiles = int(self.prefix[first]), int(self.tiles[first])
        own = self.own[rows].tolist() if len(rows) > 1 else [int(self.own[first])]
        tokens = prefix + sum(own)
        if packing.overlong == "keep" or tokens <= packing.row_tokens:
            return (Costed(Document(number, tuple(rows.tolist())), tokens, tiles),)
        parts: list[Costed[Document]] = []
        asked: list[int] = []
        tokens = prefix
        for row, length in zip(rows.tolist(), own, strict=True):
            if asked and tokens + length > packing.row_tokens:
                parts.append(Costed(Document(number, tuple(asked)), tokens, tiles))
                asked, tokens = [], prefix
            asked.append(row)
            tokens = min(tokens + length, packing.row_tokens)  # a single one that is longer will be cut
        return [*parts, Costed(Document(number, tuple(asked)), tokens, tiles)]


def _overlong(prefix: np.ndarray, own: np.ndarray, tiles: np.ndarray, packing: Packing) -> dict[str, np.ndarray]:
    """Per reason, which samples exceed a row by themselves; a sample has at most one reason."""
    no_limit = packing.row_tiles is None
    too_many = np.zeros(len(own), dtype=bool) if no_limit else tiles > packing.row_tiles
    room = packing.row_tokens // _ROOM_FOR_WORDS if packing.overlong == "cut" else 0
    no_words = ~too_many & (prefix + room >= packing.row_tokens)
    too_long = ~too_many & ~no_words & (prefix + own > packing.row_tokens)
    return {
        "tiles_over_row_tiles": too_many,
        "image_tokens_over_row_tokens": no_words,
        "tokens_over_row_tokens": too_long,
    }


def _refuse_uncuttable(selection: Selection, reasons: dict[str, np.ndarray], packing: Packing) -> None:
    uncuttable = reasons["tiles_over_row_tiles"] | reasons["image_tokens_over_row_tokens"]
    if uncuttable.any():
        names = selection.table.column("sample_id").filter(pa.array(uncuttable))[:3].to_pylist()
        raise InputError(
            f"{int(uncuttable.sum())} samples of {selection.store.folder} have images that no row can hold: "
            f"{', '.join(names)}",
            expected=f"images that leave words room in {packing.row_tokens} tokens and {packing.row_tiles} tiles",
            fix="Raise pack.row_tokens or pack.row_tiles, or set pack.overlong to drop.",
        )


def _documents(
    selections: list[Selection], sources: list[_Samples], packing: Packing, seed: int
) -> Iterator[Costed[Document]]:
    """Documents without end, drawn by weight."""
    mixture = Mixture(
        {
            str(number): _mixed(selection, samples, packing.window_shards)
            for number, (selection, samples) in enumerate(zip(selections, sources, strict=True))
        },
        seed,
    )
    for position in itertools.count():
        draw = mixture.draw(position)
        number = int(draw.source)
        rows = sources[number].record(draw.row)
        if len(rows) > packing.questions_per_image:
            random = generator(seed, "questions", number, draw.row, draw.epoch)
            rows = _weighted(rows, selections[number].task_weights[rows], packing.questions_per_image, random)
        yield from sources[number].documents(number, rows, packing)


def _weighted(rows: np.ndarray, weights: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` of `rows` without replacement, in their order (exponential keys, Efraimidis and Spirakis 2006)."""
    keys = random.exponential(size=len(rows)) / weights
    return np.sort(rows[np.argsort(keys)[:count]])


def _mixed(selection: Selection, samples: _Samples, window_shards: int | None) -> Source:
    shards = None
    if window_shards is not None:
        codes = selection.table.column("shard").combine_chunks().dictionary_encode().indices.to_numpy()
        shards = codes[samples.kept[samples.starts[:-1]]]
    return Source(samples.num_records, selection.weight, shards, window_shards or 1)
