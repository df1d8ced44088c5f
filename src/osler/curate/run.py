"""The command `osler curate`: raw datasets to shards, with every drop counted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, PositiveInt

from osler.core.catalog import ADAPTERS, OPERATORS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.settings import read_settings
from osler.curate import drops as drops_file
from osler.curate.card import source_note, write_card
from osler.curate.croissant import write_croissant
from osler.curate.engine import OperatorSpec, Settings, build_operator, collector_paused, run_jobs
from osler.curate.overlap import split_overlap, write_overlap
from osler.curate.plan import Plan, Source
from osler.curate.volumes import VolumesConfig
from osler.datasets.dataset import check_layout, check_split
from osler.datasets.read import resolve_root
from osler.store.reader import Store


class DatasetConfig(Config):
    """One dataset of a recipe.

    root: its folder, or `hub:OWNER/NAME`. limit: rows read of each split. tags: keep samples with all of these.
    """

    name: str
    root: str
    splits: Annotated[tuple[str, ...], Field(min_length=1)]
    limit: PositiveInt | None = None
    tags: tuple[str, ...] = ()


class TilesConfig(Config):
    """The tiling for which the index states how many tiles a sample has."""

    tile_px: PositiveInt = 336
    min_tiles: PositiveInt = 1
    max_tiles: PositiveInt = 12


class CurateConfig(Config):
    """A recipe of `osler curate`.

    operators: names, or a name with its options. volumes: which slices are shown of a volume, where samples have
    some. shuffle_records: put the records of each split of a dataset in random order under `seed`, in place of the
    published order.
    """

    title: str = "Curated samples"
    datasets: Annotated[tuple[DatasetConfig, ...], Field(min_length=1)]
    operators: tuple[dict[str, dict[str, Any]], ...] = ()
    shard_records: PositiveInt = 512
    tiles: TilesConfig = TilesConfig()
    volumes: VolumesConfig | None = None
    shuffle_records: bool = False
    num_workers: Annotated[int, Field(ge=0)] = 1
    seed: int = 0


def parse(recipe: Recipe) -> CurateConfig:
    """The recipe checked: keys, datasets, splits, operators and their options. Nothing is read yet."""
    operators = recipe.get("operators") or []
    if not isinstance(operators, list):
        raise InputError("recipe: operators must be a list", got=type(operators).__name__)
    config = CurateConfig.parse({**recipe, "operators": [_operator_entry(entry) for entry in operators]})
    for entry in config.datasets:
        for split in entry.splits:
            check_split(ADAPTERS.load(entry.name), entry.name, split)
    return config


def inputs(config: CurateConfig) -> list[Path]:
    """The files that list the rows. Media files are told by the SHA-256 that the index keeps of each."""
    paths: list[Path] = []
    for source in _sources(config):
        dataset = ADAPTERS.load(source.name)
        check_layout(dataset, source.name, source.root, split=source.split)
        paths += dataset.rows.paths(source.root, source.split)
    return list(dict.fromkeys(paths))


def run(config: CurateConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write shards, index, drops, card and croissant under `out`. `device` is not used: no model runs."""
    operators = tuple((name, options) for entry in config.operators for name, options in entry.items())
    tiling = (config.tiles.tile_px, config.tiles.min_tiles, config.tiles.max_tiles)
    settings = Settings(operators, *tiling, volumes=config.volumes.step() if config.volumes else None)
    plan = Plan(
        _sources(config),
        config.shard_records,
        global_operators=_global_operators(operators),
        shuffle_seed=config.seed if config.shuffle_records else None,
    )
    finished = run_jobs(plan.jobs(), out, settings, num_workers=config.num_workers)
    with collector_paused():
        chunks = list(log.progress(finished, "curate", unit="shards"))
    drops = _merged_drops(plan, chunks)
    drops_file.write_drops(out / drops_file.FILE, drops)
    names = tuple(dict.fromkeys(entry.name for entry in config.datasets))
    counts = describe(out, title=config.title, datasets=names, drops=drops, log=log)
    message = f"{counts['samples']} samples in {counts['records']} records, {counts['drops']} dropped: {out}"
    return Outcome(message, seeds={"seed": config.seed}, counts=counts)


def describe(out: Path, *, title: str, datasets: Sequence[str], drops: pa.Table, log: Log) -> dict[str, int]:
    """Write `overlap.json`, `card.md` and `croissant.json` of the shards under `out`; returns what was counted.

    Args:
        out: the folder with `shards/` and `index/`.
        title: the name of the set.
        datasets: names of the adapters it was made from.
        drops: what was left out (`drops.drops_table()` for nothing).
        log: told where no sample was kept or two splits share images or groups.
    """
    sources = [source_note(name, ADAPTERS.load(name)) for name in datasets]
    store = Store(out) if any((out / "index").glob("*.parquet")) else None
    overlap = split_overlap(store) if store else {}
    write_overlap(out, overlap)
    write_card(out, title=title, sources=sources, store=store, drops=drops)
    description = f"{title}: samples for medical vision-language models, made from {', '.join(datasets)}."
    write_croissant(out, name=title, description=description, sources=sources, store=store)
    if store is None:
        log.warn(f"no sample was kept; {out / drops_file.FILE} tells why each of {drops.num_rows} was dropped")
    for pair, shared in overlap.items():
        if any(shared.values()):
            names = pair.replace("|", " and ")
            log.warn(f"splits {names} share {shared['num_images']} images and {shared['num_groups']} groups")
    shards = store.shards() if store else []
    return {
        "shards": len(shards),
        "records": sum(info.num_records for info in shards),
        "samples": sum(info.num_samples for info in shards),
        "drops": drops.num_rows,
        "split_overlap_images": sum(shared["num_images"] for shared in overlap.values()),
        "split_overlap_groups": sum(shared["num_groups"] for shared in overlap.values()),
    }


def _operator_entry(entry: object) -> dict[str, dict[str, Any]]:
    """`name` or `{name: {option: value}}`, with all options of the operator spelled out."""
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, dict) or len(entry) != 1:
        raise InputError(f"cannot read operator {entry!r}", expected="a name, or one name with its options")
    name, options = next(iter(entry.items()))
    checked = OPERATORS.load(name).config.parse(options or {}, f"operator {name}")
    return {name: checked.model_dump(mode="json")}


def _sources(config: CurateConfig) -> list[Source]:
    offline = read_settings().offline
    return [
        Source(entry.name, resolve_root(entry.root, offline=offline), split, entry.limit, entry.tags)
        for entry in config.datasets
        for split in entry.splits
    ]


def _global_operators(operators: Sequence[OperatorSpec]) -> list[tuple[Any, bool]]:
    built = [build_operator(spec) for spec in operators]
    return [(apply, operator.needs_sha256) for operator, apply in built if operator.scope == "all"]


def _merged_drops(plan: Plan, chunks: Sequence[Path]) -> pa.Table:
    parts = [drops_file.drops_table(plan.drops)]
    parts += [pq.read_table(path, partitioning=None).replace_schema_metadata(None) for path in chunks]
    return pa.concat_tables(parts)
