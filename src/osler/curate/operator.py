"""Operator: what one file of `operators/` declares: a pure function on a table that keeps, changes or drops rows.

A table at level `sample` has a row a sample:
    row int64, id, key, dataset, split, group, licence, task, question, answer (strings), media_paths list<string>,
    media_sha256 list<string> (only filled where the operator says `needs_sha256` or the scope is `shard`),
    folder string, media_places list<string>: what `datasets.media.read_media` takes to read the files of media_paths
A table at level `record` has a row for the images of a study or figure with all samples about them:
    row int64, key, dataset, split (strings), sample_ids, media_paths list<string>,
    media list<binary> (null where a file is missing)
A table at level `rewrite` is one at level `record` whose media_paths and media hold masks, too, and that also has
    samples list<string>, each sample as JSON. The operator gives the same columns back, changed as it likes: `row` says
    from which row a record was made, a record made from another needs a key of its own, and a sample made from another
    has an id that begins with that one's, then `#`: `pmc_oa/train/7#panel-b`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from osler.core.config import Config
from osler.curate.drops import drops_table

_TEXT = pa.string()
_TEXTS = pa.list_(_TEXT)
SAMPLES = pa.schema(
    [("row", pa.int64())]
    + [(name, _TEXT) for name in ("id", "key", "dataset", "split", "group", "licence", "task", "question", "answer")]
    + [("media_paths", _TEXTS), ("media_sha256", _TEXTS), ("folder", _TEXT), ("media_places", _TEXTS)]
)
RECORDS = pa.schema(
    [("row", pa.int64()), ("key", _TEXT), ("dataset", _TEXT), ("split", _TEXT)]
    + [("sample_ids", _TEXTS), ("media_paths", _TEXTS), ("media", pa.list_(pa.large_binary()))]
)
REWRITES = RECORDS.append(pa.field("samples", _TEXTS))


@dataclass(frozen=True)
class Kept:
    """The rows an operator keeps, and the drops of the others (`drops.DROPS`).

    At level `record`, a drop's `id` is the record's key; the engine writes one drop for each of its samples. At level
    `rewrite` it is the key or a sample's id.
    """

    table: pa.Table
    drops: pa.Table


Apply = Callable[[pa.Table], Kept]


@dataclass(frozen=True)
class Workplace:
    """Where an operator that says `keeps_files` may write.

    out: the output folder, for tables of its own. kept: a hidden folder that stays from one start of the run to the
        next, and that no rank of an array shares with another.
    """

    out: Path
    kept: Path


def no_files(config: Config) -> list[Path]:
    """What an operator reads whose options name no files: nothing."""
    return []


class NoOptions(Config):
    """The config of an operator that takes none."""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator.

    config: its options in a recipe.
    build: the checked config to the function that is applied; the function takes plain values.
    level: what a row of its table is.
    scope: `shard` sees some rows of a shard at a time and runs in parallel; `all` sees the whole set at once, before
        any image is read.
    needs_sha256: it reads `media_sha256` at scope `all`, for which every file is read once more.
    keeps_files: its function takes `place`, too: a `Workplace`, or None where nothing may be written.
    inputs: the files and folders that its options name; where one has changed, a run is not gone on with.
    """

    config: type[Config]
    build: Callable[[Any], Callable[..., Kept]]
    level: Literal["sample", "record", "rewrite"]
    scope: Literal["shard", "all"] = "shard"
    needs_sha256: bool = False
    keeps_files: bool = False
    inputs: Callable[[Any], Sequence[Path]] = no_files


def keep_where(table: pa.Table, drops: Sequence[dict[str, Any] | None]) -> Kept:
    """`table` without the rows that have a drop. `drops` has one entry a row, None where it stays."""
    mask = pa.array([drop is None for drop in drops], pa.bool_())
    return Kept(table.filter(mask), drops_table(drop for drop in drops if drop is not None))
