"""The card of a store: what is in it, from where, under which licence, and what was left out, for a person to read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa

from osler.core.files import write_text
from osler.curate.drops import Tally, count_drops
from osler.curate.overlap import split_overlap
from osler.datasets.dataset import Dataset
from osler.schema.licence import PER_ITEM, Permission, licence_of
from osler.store.reader import Store, record_starts

FILE = "card.md"


@dataclass(frozen=True)
class SourceNote:
    """What a card says of one dataset."""

    name: str
    licence: str
    access: str
    source_url: str
    citation: str
    notes: str
    published: Mapping[str, int | None]


def source_note(name: str, dataset: Dataset) -> SourceNote:
    """The note of an adapter's declaration."""
    return SourceNote(
        name=name,
        licence=dataset.licence,
        access=dataset.access,
        source_url=dataset.source_url,
        citation=dataset.citation,
        notes=dataset.notes,
        published=dataset.splits,
    )


def write_card(
    out: Path,
    *,
    title: str,
    sources: Sequence[SourceNote],
    store: Store | None,
    drops: Tally | None = None,
    mix: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
) -> None:
    """Write `card.md` under `out`.

    Args:
        out: the output folder.
        title: the card's first line.
        sources: the datasets it was made from.
        store: the shards under `out`; None where every sample was dropped.
        drops: what was left out (`drops.tally_drops`); None where nothing was.
        mix: by split and set, how often each is drawn (`mixture.built_mixture`); None where it was not decided.
    """
    parts = [f"# {title}", *_contents(store), *_mix(mix or {}), *map(_source, sources), _drops(drops or Tally())]
    write_text(out / FILE, "\n\n".join(parts) + "\n")


def _contents(store: Store | None) -> list[str]:
    if store is None:
        return ["No sample was kept."]
    rows = []
    for split in store.splits():
        table = store.table(split)
        num_images = sum(map(len, table.take(pa.array(record_starts(table)))["media_names"].to_pylist()))
        num_records = len(record_starts(table))
        tokens, tiles = (sum(table[name].to_pylist()) for name in ("text_tokens", "tiles"))
        rows.append((split, num_records, num_images, table.num_rows, tokens, tiles))
    head = ("split", "records", "images", "samples", "text tokens (estimate)", "tiles over samples")
    parts = ["## Contents", _table(head, rows)]
    for column in ("dataset", "task", "answer_kind", "licence", "access", "modality"):
        parts.append(_table((column, "split", "samples"), _counts(store, column)))
    return parts + _overlap(store)


def _counts(store: Store, column: str) -> list[tuple[str, str, int]]:
    counts = []
    for split in store.splits():
        values = store.table(split)[column].value_counts().to_pylist()
        counts += [(item["values"] or "(none)", split, item["counts"]) for item in values]
    return sorted(counts)


def _overlap(store: Store) -> list[str]:
    overlap = split_overlap(store)
    if not overlap:
        return []
    rows = [(pair.replace("|", " and "), c["num_images"], c["num_groups"]) for pair, c in overlap.items()]
    parts = ["## Between splits", _table(("splits", "shared image files", "shared groups"), rows)]
    if any(counts["num_images"] or counts["num_groups"] for counts in overlap.values()):
        parts.append(
            "**Warning:** splits share images or groups (patients, articles). A score on one after training on the "
            "other is not a score on unseen cases."
        )
    return parts


def _mix(mix: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    rows = [
        (name, split, facts["rows"], facts["samples"], f"{facts['weight']:,.6g}", f"{facts['share']:.1%}")
        + (f"{facts['epochs']:.2f}",)
        for split, sets in mix.items()
        for name, facts in sets.items()
    ]
    head = ("set", "split", "rows read", "samples kept", "weight", "share of draws", "epochs")
    words = (
        "What `by_dataset: true` of a training recipe draws. Weights are in samples; epochs are passes over a set "
        "while the mix draws as many as its weights add up to."
    )
    return ["## Mix", _table(head, rows), words] if rows else []


def _source(note: SourceNote) -> str:
    published = ", ".join(
        f"{split} {count if count is not None else 'unstated'}" for split, count in note.published.items()
    )
    facts = {
        "Licence": _licence(note.licence),
        "Access": note.access,
        "Source": note.source_url,
        "Published rows": published,
        "Citation": note.citation,
        "Notes": note.notes,
    }
    return "\n".join([f"## Source: {note.name}", "", *(f"- {name}: {text}" for name, text in facts.items() if text)])


def _licence(spelling: str) -> str:
    licence = licence_of(spelling)
    if licence.id == PER_ITEM:
        return "each sample has its own"
    permitted = ", ".join(name for name in get_args(Permission) if name in licence.permits)
    return f"{spelling} (permits {permitted or 'nothing that is known'})"


def _drops(drops: Tally) -> str:
    if not drops:
        return "## Left out\n\nNothing."
    rows = [(rule, reason, count) for (rule, reason), count in count_drops(drops).items()]
    return f"## Left out\n\n{_table(('rule', 'reason', 'samples'), rows)}\n\nEach is a row of `drops.parquet`."


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")
