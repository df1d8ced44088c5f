"""Describe: what is written beside a finished set: card, terms, overlap of splits, and a description for machines."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from osler.core.catalog import ADAPTERS
from osler.core.files import read_json
from osler.core.log import Log
from osler.curate.card import source_note, write_card
from osler.curate.croissant import write_croissant
from osler.curate.drops import FILE as DROPS_FILE
from osler.curate.drops import tally_drops
from osler.curate.mixture import Terms
from osler.curate.notice import write_notice
from osler.curate.overlap import split_overlap, write_overlap
from osler.store.reader import Store
from osler.synth.reasoning.quality import FILE as QUALITY_FILE
from osler.synth.reasoning.quality import made_store


def describe_set(out: Path, *, title: str, use: str, terms: Sequence[Terms], log: Log) -> dict[str, int]:
    """Write `card.md`, `NOTICE`, `citations.bib`, `croissant.json` and `overlap.json`; returns what was counted.

    Args:
        out: the folder, whose `quality.json` and `drops.parquet` are there.
        title: the name of the set.
        use: what it was declared to be for.
        terms: of the sets that its figures come from.
        log: told where no sample was accepted.
    """
    store, quality = made_store(out), read_json(out / QUALITY_FILE)
    sources = [source_note(each.name, ADAPTERS.load(each.name)) for each in terms]
    drops = tally_drops(pq.read_table(out / DROPS_FILE))
    write_card(out, title=title, sources=sources, store=store, drops=drops)
    description = f"{title}: image, question with options, reasoning and answer, written by models and checked."
    write_croissant(out, name=title, description=description, sources=sources, store=store)
    write_notice(out, title=title, use=use, sources=sources, terms=terms, licences=_licences(store))
    overlap = split_overlap(store) if store else {}
    write_overlap(out, overlap)
    if store is None:
        log.warn(f"no sample was accepted; {out / DROPS_FILE} tells why each figure and question was not")
    return {
        "figures_read": quality["figures"]["read"],
        "figures": quality["figures"]["with_samples"],
        "questions": quality["questions"]["proposed"],
        "samples": quality["questions"]["accepted"],
        "drops": drops.total(),
        "split_overlap_images": sum(shared["num_images"] for shared in overlap.values()),
        "split_overlap_groups": sum(shared["num_groups"] for shared in overlap.values()),
    }


def _licences(store: Store | None) -> dict[str, dict[str, int]]:
    """By the set that a figure comes from, with which its id begins, the licences of its samples."""
    counts: dict[str, Counter[str]] = {}
    for split in store.splits() if store else ():
        for row in store.table(split).select(["sample_id", "licence"]).to_pylist() if store else ():
            counts.setdefault(row["sample_id"].partition("/")[0], Counter())[row["licence"]] += 1
    return {name: dict(sorted(licences.items())) for name, licences in counts.items()}
