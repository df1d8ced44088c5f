"""What `osler show` and `osler list` say of datasets."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError, did_you_mean
from osler.core.settings import read_settings
from osler.curate.at_hand import splits_here, status
from osler.datasets.dataset import BadRow, Dataset, check_layout, check_split, read_drafts
from osler.schema.licence import PER_ITEM, UNKNOWN, USES, licence_of, why_not

_LONGEST = 160
_ITEMS = 6
# Rows looked at for the first that makes a sample.
_ROWS = 1000


def list_lines() -> Iterator[str]:
    """Every dataset with its terms, size and where it is; one a line."""
    data_root = read_settings().data_root
    rows = [("name", "status", "access", "licence", "rows", "known from", "")]
    for name in ADAPTERS.names():
        dataset: Dataset = ADAPTERS.load(name)
        here = status(dataset, name, data_root)
        licence = licence_of(dataset.licence).id.removeprefix("LicenseRef-")
        rows.append((name, here, dataset.access, licence, _rows(dataset), dataset.known_from, ADAPTERS.summary(name)))
    widths = [max(len(row[n]) for row in rows) for n in range(6)]
    for row in rows:
        cells = [
            cell.rjust(w) if n == 4 else cell.ljust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=False))
        ]
        yield ("  " + "  ".join([*cells, row[6]])).rstrip()


def show_lines(name: str, overrides: Mapping[str, str]) -> Iterator[str]:
    """A dataset's declaration, what its licence permits, and a real row where its files are at hand.

    Args:
        name: of an adapter.
        overrides: `root`, the folder to look in instead of the one below the data root, and `split`.

    Raises:
        InputError: another override, an unknown split, or a given root without the published files.
    """
    unknown = [key for key in overrides if key not in ("root", "split")]
    if unknown:
        raise InputError(
            f"cannot show {name} with {unknown[0]}=...",
            expected="root=FOLDER or split=SPLIT",
            fix=did_you_mean(unknown[0], ["root", "split"]),
        )
    dataset: Dataset = ADAPTERS.load(name)
    root = Path(overrides["root"]) if "root" in overrides else read_settings().data_root / name
    here = splits_here(dataset, name, root)
    where = f"here: {root}" if here else status(dataset, name, read_settings().data_root)
    facts = {"status": where, **_declaration(dataset), **_terms(dataset)}
    for key, value in facts.items():
        if value:
            yield f"{key:<14}  {value}"
    yield ""
    if "split" in overrides:
        check_split(dataset, name, overrides["split"])
    split = overrides.get("split") or next(iter(here), next(iter(dataset.splits)))
    if split in here:
        yield from _row_lines(dataset, name, root, split)
    elif overrides:
        check_layout(dataset, name, root, split=split)
    else:
        yield f"No row to show: no published files in {root}. `osler show {name} root=FOLDER` looks elsewhere."


def _declaration(dataset: Dataset) -> dict[str, str]:
    splits = (f"{split} {_count(rows)}" for split, rows in dataset.splits.items())
    group = dataset.group_key or "each row alone"
    return {
        "access": dataset.access,
        "modality": dataset.modality,
        "body part": dataset.body_part,
        "language": dataset.language,
        "splits": ", ".join(splits),
        "group": group + (f" ({dataset.group_unit})" if dataset.group_unit else ""),
        "shared groups": "the published splits share some" if dataset.shared_groups else "",
        "id": dataset.id_key or "number of the row",
        "fields": ", ".join(_fields(dataset.rows)),
        "stages": ", ".join(dataset.stages),
        "hub": dataset.hub_id,
        "published at": dataset.source_url,
        "layout": dataset.layout,
        "known from": dataset.known_from,
        "notes": dataset.notes,
        "cite": dataset.citation,
    }


def _terms(dataset: Dataset) -> dict[str, str]:
    licence = licence_of(dataset.licence)
    if licence.id == PER_ITEM:
        return {"licence": "each row has its own, kept with its sample"}
    permitted = [use for use in USES if not why_not(use, dataset.licence, dataset.access)]
    stated = f" (stated as {dataset.licence!r})" if dataset.licence != licence.id else ""
    nothing = "nothing: it is not known" if licence.id == UNKNOWN else "nothing"
    return {
        "licence": f"{licence.id}{stated}",
        "permits": ", ".join(permitted) or nothing,
        "asks": "; ".join(licence.asks),
    }


def _row_lines(dataset: Dataset, name: str, root: Path, split: str) -> Iterator[str]:
    pairs = zip(dataset.rows(root, split), read_drafts(dataset, name, root, split=split), strict=False)
    for row, draft in islice(pairs, _ROWS):
        if draft.sample is not None and not isinstance(row, BadRow):
            yield f"First row of {split} in {root}:"
            yield from (f"  {key}: {_short(value)}" for key, value in row.items() if key != "places")
            yield "The sample made from it:"
            kept = draft.sample.model_dump(mode="json", exclude_defaults=True)
            yield from (f"  {key}: {_short(value)}" for key, value in kept.items())
            return
    yield f"None of the first {_ROWS} rows of {split} in {root} makes a sample."


def _fields(reader: Any) -> tuple[str, ...]:
    """The fields that a reader asks of every row; of several layouts, those of the first."""
    layouts: Iterable[Any] = getattr(reader, "readers", ())
    return getattr(reader, "fields", None) or next((_fields(each) for each in layouts), ())


def _rows(dataset: Dataset) -> str:
    counts = [rows for rows in dataset.splits.values() if rows is not None]
    return f"{sum(counts):,}" + ("" if len(counts) == len(dataset.splits) else " +") if counts else "?"


def _count(rows: int | None) -> str:
    return "?" if rows is None else f"{rows:,}"


def _short(value: Any) -> str:
    """A value on one line: long words are cut, long lists too, and bytes are counted."""
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    if isinstance(value, dict):
        inner = [f"{key}: {_short(item)}" for key, item in list(value.items())[:_ITEMS]]
        return "{" + ", ".join([*inner, *(["..."] if len(value) > _ITEMS else [])]) + "}"
    if isinstance(value, (list, tuple)):
        inner = [_short(item) for item in value[:_ITEMS]]
        return "[" + ", ".join([*inner, *([f"... {len(value)} in all"] if len(value) > _ITEMS else [])]) + "]"
    words = " ".join(str(value).split())
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}... ({len(words):,} characters)"
