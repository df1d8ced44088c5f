"""What is written beside the shards of a store: its card, its terms, its weights, and a description for machines."""

from pathlib import Path

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate import drops as drops_file
from osler.curate.card import source_note, write_card
from osler.curate.croissant import write_croissant
from osler.curate.mixture import Mix, built_mixture, drops_by_set, write_mixture
from osler.curate.notice import write_notice
from osler.curate.overlap import split_overlap, write_overlap
from osler.store.reader import Store


def describe(out: Path, *, into: Path, title: str, mix: Mix, drops: drops_file.Tally, log: Log) -> dict[str, int]:
    """Write what tells of the shards under `out` to the folder `into`; returns what was counted.

    These are `overlap.json`, `mixture.json`, `card.md`, `croissant.json`, `NOTICE` and `citations.bib`.

    Args:
        out: the folder with `shards/` and `index/`.
        into: where to write; the files are made to lie under `out`.
        title: the name of the set.
        mix: the sets it was made from.
        drops: what was left out (`drops.tally_drops`).
        log: told where no sample was kept or two splits share images or groups.

    Raises:
        InputError: the recipe's filters left no sample at all.
    """
    sources = [source_note(name, ADAPTERS.load(name)) for name in mix.names]
    store = Store(out) if any((out / "index").glob("*.parquet")) else None
    counts = drops_by_set(drops, mix.stored_splits)
    if store is None:
        _refuse_empty_choice(counts)
    splits = built_mixture(store, counts, mix)
    overlap = split_overlap(store) if store else {}
    write_overlap(into, overlap)
    write_mixture(into, mix, splits)
    write_card(into, title=title, sources=sources, store=store, drops=drops, mix=splits)
    description = f"{title}: samples for medical vision-language models, made from {', '.join(mix.names)}."
    write_croissant(out, name=title, description=description, sources=sources, store=store, into=into)
    licences = _licences(store)
    write_notice(into, title=title, use=mix.use, sources=sources, terms=mix.sets, licences=licences)
    _warn(log, out, store=store, overlap=overlap, num_drops=drops.total(), empty=set(mix.names) - licences.keys())
    shards = store.shards() if store else []
    return {
        "shards": len(shards),
        "records": sum(info.num_records for info in shards),
        "samples": sum(info.num_samples for info in shards),
        "drops": drops.total(),
        "split_overlap_images": sum(shared["num_images"] for shared in overlap.values()),
        "split_overlap_groups": sum(shared["num_groups"] for shared in overlap.values()),
    }


def _warn(
    log: Log, out: Path, *, store: Store | None, overlap: dict[str, dict[str, int]], num_drops: int, empty: set[str]
) -> None:
    if store is None:
        log.warn(f"no sample was kept; {out / drops_file.FILE} tells why each of {num_drops} was dropped")
    elif empty:
        log.warn(f"no sample of {', '.join(sorted(empty))} was kept; {out / drops_file.FILE} tells why")
    for pair, shared in overlap.items():
        if any(shared.values()):
            names = pair.replace("|", " and ")
            log.warn(f"splits {names} share {shared['num_images']} images and {shared['num_groups']} groups")


def _refuse_empty_choice(counts: dict[tuple[str, str], dict[str, int]]) -> None:
    by_choice = {
        f"{name} {split}: {count} rows, {reason.partition(': ')[2]}"
        for (name, split), reasons in counts.items()
        for reason, count in reasons.items()
        if reason.startswith(("filters: ", "use: ", "select_tags: "))
    }
    if by_choice:
        raise InputError(
            f"the recipe's choice leaves no sample ({'; '.join(sorted(by_choice))})",
            fix="Widen its filters or tags; `osler curate RECIPE --dry-run` shows what each set holds.",
        )


def _licences(store: Store | None) -> dict[str, dict[str, int]]:
    """By set, its samples' licences as published, counted over all splits."""
    found: dict[str, dict[str, int]] = {}
    for table in (store.table(split) for split in store.splits()) if store else ():
        pairs = table.select(["dataset", "licence"]).group_by(["dataset", "licence"])
        for row in pairs.aggregate([([], "count_all")]).to_pylist():
            of_set = found.setdefault(row["dataset"], {})
            of_set[row["licence"]] = of_set.get(row["licence"], 0) + row["count_all"]
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}
