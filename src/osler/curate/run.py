"""The command `osler curate`: raw datasets to shards, with every drop counted."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from osler.core.catalog import ADAPTERS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.settings import read_settings
from osler.curate import drops as drops_file
from osler.curate.at_hand import is_here, status
from osler.curate.audit import Counting, SetAudit, Tiling
from osler.curate.describe import describe
from osler.curate.engine import (
    Settings,
    Share,
    collector_paused,
    publish,
    remove_others,
    run_jobs,
    work_room,
)
from osler.curate.executor import ExecutorConfig, make_executor
from osler.curate.mixture import Choice, Filter, Mix, Stated, Terms, check_use, chosen
from osler.curate.operator import Workplace
from osler.curate.pieces import OperatorSpec, build_operator, operator_entry, read_operator
from osler.curate.plan import Plan, Source
from osler.curate.shard_manifest import drops_path
from osler.curate.table import audit_lines
from osler.curate.volumes import VolumesConfig
from osler.datasets.dataset import Dataset, Stage, check_layout, check_split, read_drafts
from osler.datasets.read import resolve_root
from osler.endpoint.served import asked_lines, begin_asking
from osler.schema.licence import PER_ITEM, UNKNOWN, Use, licence_of
from osler.schema.sample import Split

SAME_RESULT = ("num_workers", "executor")
"""Keys of a recipe that say how the work is done; what comes out is the same."""
_SHOWN = 3
_KEPT = ".cache"  # hidden, so no output of the run: it holds times and the order of arrival
_Some = Annotated[tuple[str, ...], Field(min_length=1)]


class FiltersConfig(Config):
    """What is taken. A sample must pass what is said for its set and what is said for all.

    licences: of the sample itself, in any usual spelling; without a version, all versions. permits: what the sample's
        licence must permit beyond the recipe's `use`.
    languages: as in the tag `lang:xx`. any_tag: a sample has at least one of these.
    stages: sets that the published recipes use in one of these stages; others are not read at all.
    """

    licences: _Some | None = None
    permits: tuple[Use, ...] = ()
    modalities: _Some | None = None
    languages: _Some | None = None
    any_tag: _Some | None = None
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] | None = None


class DatasetConfig(Config):
    """One dataset of a recipe.

    root: its folder, or `hub:OWNER/NAME`; where left out, the folder of its name below the data root (OSLER_DATA, else
        `data`), and where that is not there, its place on the hub.
    as_split: store what the set publishes as other splits under this one, to train on all of it for example.
    limit: rows read of each split. tags: keep samples with all of these.
    cap: samples taken of each split, before any operator; which ones depends on `seed` and their ids alone.
    weight: how often it is drawn, in samples; epochs: the same in passes over what was kept. With neither, one pass.
    agreement: by use, in your own words, what permits it to you where the published terms do not.
    """

    name: str
    root: str | None = None
    splits: _Some = ("train",)
    as_split: Split | None = None
    limit: PositiveInt | None = None
    tags: tuple[str, ...] = ()
    cap: PositiveInt | None = None
    weight: PositiveFloat | None = None
    epochs: PositiveFloat | None = None
    filters: FiltersConfig = FiltersConfig()
    agreement: dict[Use, str] = {}

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.weight is not None and self.epochs is not None:
            raise ValueError(f"dataset {self.name!r} has both weight and epochs; leave one out")
        return self


class TilesConfig(Config):
    """The tiling for which the index states how many tiles a sample has."""

    tile_px: PositiveInt = 336
    min_tiles: PositiveInt = 1
    max_tiles: PositiveInt = 12


class CurateConfig(Config):
    """A recipe of `osler curate`.

    use: what the samples are for; a set that its licence or access forbids this is refused, a row dropped.
    operators: names, or a name with its options.
    volumes: which slices are shown of a volume, where samples have some.
    shuffle_records: put the records of each split of a dataset in random order under `seed`, in place of the published
        order.
    temperature: weights are raised to 1 / temperature; above 1, small sets are drawn more often than their size says.
    absent: `leave_out` reads only sets whose files are here, fetches none, and says why the others are left out;
        `refuse` fetches what is on the hub and stops at a set that is nowhere.
    num_workers: processes on this machine, of each rank, or tasks on Ray at once.
    executor: where the work is done.
    """

    title: str = "Curated samples"
    use: Use = "research"
    datasets: Annotated[tuple[DatasetConfig, ...], Field(min_length=1)]
    filters: FiltersConfig = FiltersConfig()
    temperature: PositiveFloat = 1.0
    operators: tuple[dict[str, dict[str, Any]], ...] = ()
    shard_records: PositiveInt = 512
    tiles: TilesConfig = TilesConfig()
    volumes: VolumesConfig | None = None
    shuffle_records: bool = False
    absent: Literal["refuse", "leave_out"] = "refuse"
    num_workers: Annotated[int, Field(ge=0)] = 1
    executor: ExecutorConfig = ExecutorConfig()
    seed: int = 0

    @model_validator(mode="after")
    def _weights_agree(self) -> Self:
        names = [entry.name for entry in self.datasets]
        for entry in self.datasets:
            if entry.epochs is not None and self.temperature != 1:
                raise ValueError(f"dataset {entry.name!r} has epochs, which a temperature would change; leave one out")
            of_the_set = (entry.weight, entry.epochs, entry.agreement, entry.filters.stages, entry.as_split)
            if names.count(entry.name) > 1 and any(of_the_set):
                raise ValueError(
                    f"dataset {entry.name!r} is named twice; weight, agreement, stages and as_split need it named once"
                )
        return self


def parse(recipe: Recipe) -> CurateConfig:
    """The recipe checked: keys, datasets, splits, operators and their options. Nothing is read yet."""
    operators = recipe.get("operators") or []
    if not isinstance(operators, list):
        raise InputError("recipe: operators must be a list", got=type(operators).__name__)
    config = CurateConfig.parse({**recipe, "operators": [operator_entry(entry) for entry in operators]})
    for filters in (config.filters, *(entry.filters for entry in config.datasets)):
        for spelling in filters.licences or ():
            if licence_of(spelling).id == UNKNOWN and spelling != UNKNOWN:
                raise InputError(f"recipe: filters.licences: {spelling!r} is no known licence")
    for entry in config.datasets:
        for split in entry.splits:
            check_split(ADAPTERS.load(entry.name), entry.name, split)
    return config


def inputs(config: CurateConfig) -> list[Path]:
    """The files that list the rows, and those that operators' options name. The index keeps the SHA-256 of media."""
    mix = _mix(config)
    check_use(mix.use, mix.sets)
    paths: list[Path] = []
    for source in _sources(config, mix):
        dataset = ADAPTERS.load(source.name)
        check_layout(dataset, source.name, source.root, split=source.split)
        paths += dataset.rows.paths(source.root, source.split)
    for operator, options in map(read_operator, _operators(config)):
        paths += operator.inputs(options)
    return list(dict.fromkeys(paths))


def shares_folder(config: CurateConfig) -> bool:
    """Whether other commands write to the same output folder at the same time."""
    return config.executor.kind == "rank"


def dry_run_lines(config: CurateConfig, log: Log) -> Iterator[str]:
    """The audit of the mix: every set with rows, images, tokens, tiles, weight and terms. Nothing is written.

    Sets whose files are not at hand are shown with their published counts; none is fetched.

    Raises:
        InputError: after the table, where a set must not be used as the recipe declares.
    """
    mix = _mix(config)
    tiling = Tiling(**config.tiles.model_dump())
    audits = [_audit(config, entry, split, tiling, log) for entry in config.datasets for split in entry.splits]
    yield from audit_lines(audits, mix.stated, temperature=mix.temperature, use=mix.use)
    check_use(mix.use, mix.sets)
    agreed = [terms.name for terms in mix.sets if terms.agreement]
    allowed = (
        f"the terms of {len(mix.sets) - len(agreed)} of its {len(mix.sets)} sets allow; their rows whose own do not"
    )
    yield f"use: {mix.use}, which {allowed} are dropped"
    if agreed:
        yield f"used under an agreement that the recipe states, not under published terms: {', '.join(agreed)}"


def run(config: CurateConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write shards, index, drops, card, notice and the rest under `out`. `device` is not used: no model runs.

    Of several ranks, each makes its shards, and one that then finds those of all others finished writes the rest.
    Should two do so at the same time, they write the same bytes.
    """
    mix = _mix(config)
    check_use(mix.use, mix.sets)
    for name, reason in mix.left_out.items():
        log.warn(f"{name} is left out: {reason}")
    executor = make_executor(config.executor, config.num_workers, read_settings())
    settings = _settings(config)
    place = Workplace(out, out / _KEPT / f"rank-{executor.rank}" if executor.world > 1 else out / _KEPT)
    begin_asking(place.kept)
    share = Share(executor, settings)
    with work_room(out, executor.rank) as room:
        with drops_file.DropsWriter(room / "plan.parquet") as plan_drops, collector_paused():
            plan = Plan(
                _sources(config, mix),
                config.shard_records,
                plan_drops,
                global_operators=_global_operators(settings.operators, place),
                shuffle_seed=config.seed if config.shuffle_records else None,
            )
            made = run_jobs(share.of(plan.jobs()), place, settings, room=room, executor=executor)
            num_made = sum(1 for _ in log.progress(made, "curate", unit="shards"))
        for line in asked_lines(place.kept):
            log.info(line)
        if missing := share.missing(out):
            return Outcome(_waits(executor.rank, executor.world, num_made, missing), is_finished=False)
        remove_others(out, share.names)
        finals = room / "finals"
        finals.mkdir()
        parts = [room / "plan.parquet", *(drops_path(out, name) for name in share.names)]
        drops = drops_file.merge_drops(finals / drops_file.FILE, parts)
        counts = describe(out, into=finals, title=config.title, mix=mix, drops=drops, log=log)
        publish(finals, out)
    message = f"{counts['samples']} samples in {counts['records']} records, {counts['drops']} dropped: {out}"
    return Outcome(message, seeds={"seed": config.seed}, counts=counts)


def _settings(config: CurateConfig) -> Settings:
    tiling = (config.tiles.tile_px, config.tiles.min_tiles, config.tiles.max_tiles)
    volumes = config.volumes.step() if config.volumes else None
    return Settings(_operators(config), *tiling, volumes=volumes, recheck_media=config.executor.recheck_media)


def _operators(config: CurateConfig) -> tuple[OperatorSpec, ...]:
    return tuple((name, options) for entry in config.operators for name, options in entry.items())


def _waits(rank: int, world: int, num_made: int, missing: list[str]) -> str:
    shown = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
    return (
        f"rank {rank} of {world}: its {num_made} shards are finished, {len(missing)} of other ranks are not ({shown}); "
        "the rank that ends last writes the rest. Run again whichever was cut."
    )


def _mix(config: CurateConfig) -> Mix:
    left_out = {entry.name: reason for entry in config.datasets if (reason := _left_out(config, entry))}
    read = [entry for entry in config.datasets if entry.name not in left_out]
    if not read:
        raise InputError(
            "no set is left to read",
            got="; ".join(f"{name}: {reason}" for name, reason in left_out.items()),
        )
    terms = {entry.name: _terms(config, entry) for entry in read}
    stated = {entry.name: Stated(entry.weight, entry.epochs) for entry in read}
    stored = {(entry.name, split): entry.as_split for entry in read for split in entry.splits if entry.as_split}
    return Mix(config.use, tuple(terms.values()), stated, config.temperature, left_out, stored)


def _terms(config: CurateConfig, entry: DatasetConfig) -> Terms:
    dataset: Dataset = ADAPTERS.load(entry.name)
    return Terms(entry.name, dataset.licence, dataset.access, entry.agreement.get(config.use, ""))


def _left_out(config: CurateConfig, entry: DatasetConfig) -> str:
    stages = ADAPTERS.load(entry.name).stages
    for filters in (config.filters, entry.filters):
        if filters.stages is not None and not set(filters.stages) & set(stages):
            return f"used in the stages {', '.join(stages) or 'none'}, not in {', '.join(filters.stages)}"
    return _not_here(entry) if config.absent == "leave_out" else ""


def _not_here(entry: DatasetConfig) -> str:
    """Why a set's files cannot be read on this machine; "" where they can."""
    dataset, root = ADAPTERS.load(entry.name), _local_root(entry)
    missing = [split for split in entry.splits if not is_here(dataset, entry.name, root, split=split)]
    if not missing:
        return ""
    way = status(dataset, entry.name, read_settings().data_root)
    where = f"not in {root}" if way == "here" else way
    return f"not at hand, {', '.join(missing)}: {where}; `osler show {entry.name}` tells how to get it"


def _choice(config: CurateConfig, entry: DatasetConfig) -> Choice:
    filters = [
        Filter(
            licences=each.licences and tuple(licence_of(spelling).id for spelling in each.licences),
            permits=each.permits,
            modalities=each.modalities,
            languages=each.languages,
            any_tag=each.any_tag,
        )
        for each in (config.filters, entry.filters)
        if each != FiltersConfig()
    ]
    language = ADAPTERS.load(entry.name).language
    use = "" if config.use in entry.agreement else config.use
    return Choice(entry.tags, tuple(filters), language=language, use=use, cap=entry.cap, seed=config.seed)


def _audit(config: CurateConfig, entry: DatasetConfig, split: str, tiling: Tiling, log: Log) -> SetAudit:
    dataset: Dataset = ADAPTERS.load(entry.name)
    audit = SetAudit(_terms(config, entry), split, dataset.splits[split], left_out=_left_out(config, entry))
    audit.as_split = _other_split(entry, split) or ""
    audit.expected = _expected(config, entry, dataset.splits[split])
    root = _local_root(entry)
    audit.is_here = not audit.left_out and is_here(dataset, entry.name, root, split=split)
    if root is None or not audit.is_here:
        return audit
    counting = Counting(audit, root, tiling)
    read = partial(read_drafts, dataset, entry.name, root, split=split, limit=entry.limit)
    rows: Iterable[Any] = chosen(read, _choice(config, entry))
    with collector_paused():
        for draft, left_out in log.progress(rows, f"{entry.name} {split}", unit="rows"):
            counting.add(draft, left_out)
    return counting.finish()


def _expected(config: CurateConfig, entry: DatasetConfig, published: int | None) -> int | None:
    """The samples that a published count promises: none where only the rows tell which of them are taken."""
    is_filtered = entry.tags or entry.filters != FiltersConfig() or config.filters != FiltersConfig()
    if published is None or is_filtered or ADAPTERS.load(entry.name).licence == PER_ITEM:
        return None
    return min(each for each in (published, entry.limit, entry.cap) if each is not None)


def _sources(config: CurateConfig, mix: Mix) -> list[Source]:
    return [
        Source(entry.name, root, split, entry.limit, _choice(config, entry), _other_split(entry, split))
        for entry in config.datasets
        if entry.name not in mix.left_out
        for root in [_root(entry)]
        for split in entry.splits
    ]


def _other_split(entry: DatasetConfig, split: str) -> Split | None:
    return entry.as_split if entry.as_split != split else None


def _root(entry: DatasetConfig) -> Path:
    """The folder of a set, fetched from the hub where it is only there."""
    settings = read_settings()
    local, hub_id = _local_root(entry), ADAPTERS.load(entry.name).hub_id
    if entry.root is not None:
        return resolve_root(entry.root, offline=settings.offline)
    if hub_id and local is not None and not local.is_dir() and not settings.offline:
        return resolve_root(f"hub:{hub_id}", offline=False)
    return settings.data_root / entry.name


def _local_root(entry: DatasetConfig) -> Path | None:
    """Where a set's folder is on this machine; None where only the hub is named."""
    if entry.root is None:
        return read_settings().data_root / entry.name
    return None if entry.root.startswith("hub:") else Path(entry.root)


def _global_operators(operators: Sequence[OperatorSpec], place: Workplace) -> list[tuple[Any, bool]]:
    built = [build_operator(spec, place) for spec in operators]
    return [(apply, operator.needs_sha256) for operator, apply in built if operator.scope == "all"]
