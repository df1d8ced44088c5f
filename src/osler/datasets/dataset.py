"""Dataset: what an adapter declares, and how its rows become samples with an id, a group and a licence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from osler.core.errors import InputError, did_you_mean
from osler.schema.sample import Access, Provenance, Sample

Row = dict[str, Any]

# Other names in use for the split that models are compared on, too far from ours for a spelling check.
_HELD_OUT = frozenset({"val", "valid", "validate", "validation", "dev", "eval"})


class RowReader(Protocol):
    """Reads one split of a dataset in its published layout."""

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The rows of `split` under the folder `root`, in published order."""
        ...

    def paths(self, root: Path, split: str) -> list[Path]:
        """The files from which the rows of `split` come."""
        ...


@dataclass(frozen=True)
class Skip:
    """What `to_sample` returns for a row that cannot be a sample; `reason` is counted and kept with the drops."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A named dataset.

    licence: SPDX id where one exists; a row with its own licence sets the sample's provenance instead.
    splits: the published number of rows of each split; None where none is published.
    rows: reads the published layout below a folder.
    to_sample: one row to one sample. What it leaves empty is filled in: id, split, group, modality, provenance.
    group_key: the row's field that a split must not cut (patient, image, article); "" where each row stands alone.
    id_key: the row's field that names it for good; "" takes the row's number in its split.
    layout: the published files, in words, for the message when they are not there.
    media_folder: folder below the root to which media paths are relative.
    contiguous: rows about the same images lie next to each other, so records can be formed while reading.
    """

    licence: str
    access: Access
    modality: str
    group_key: str
    splits: Mapping[str, int | None]
    rows: RowReader
    to_sample: Callable[[Row], Sample | Skip]
    body_part: str = ""
    id_key: str = ""
    citation: str = ""
    source_url: str = ""
    layout: str = ""
    media_folder: str = ""
    notes: str = ""
    contiguous: bool = False


@dataclass(frozen=True)
class Draft:
    """A sample as read, its media paths below the dataset's folder; or, where `sample` is None, why there is none.

    `key` is the record's name where the rows were stored records already, else "". `places` then says where the
    bytes of a media path lie, in the form that `sliced.read_media` takes.
    """

    id: str
    sample: Sample | None
    skip: str = ""
    key: str = ""
    places: Mapping[str, str] = field(default_factory=dict)


def read_drafts(dataset: Dataset, name: str, root: Path, *, split: str, limit: int | None = None) -> Iterator[Draft]:
    """The samples of one split, in published order, each with id, split, group and provenance.

    Args:
        dataset: the adapter's declaration.
        name: its name, the first part of every id `NAME/SPLIT/RECORD`.
        root: the folder with the published layout.
        split: one of the dataset's splits.
        limit: read this many rows; None reads all.

    Raises:
        InputError: unknown split, missing folder or file, or fields other than expected.
    """
    check_split(dataset, name, split)
    check_layout(dataset, name, root, split=split)
    for number, row in enumerate(dataset.rows(root, split)):
        if limit is not None and number >= limit:
            return
        record_id = str(row[dataset.id_key]) if dataset.id_key else f"{number:06d}"
        sample = dataset.to_sample(row)
        draft_id = f"{name}/{split}/{record_id}"
        if isinstance(sample, Skip):
            yield Draft(draft_id, None, skip=sample.reason)
            continue
        group = f"{name}/{row[dataset.group_key] if dataset.group_key else record_id}"
        sample = _completed(sample, dataset, name, record_id, split=split, group=group)
        stored = {"key": row["key"], "places": row["places"]} if "places" in row else {}
        yield Draft(sample.id, sample, **stored)


def check_split(dataset: Dataset, name: str, split: str) -> None:
    """Raise InputError with the known splits and the nearest, where `split` is not one of them."""
    if split not in dataset.splits:
        known = ", ".join(dataset.splits)
        held_out = [other for other in ("validation", "test") if other in dataset.splits][:1]
        meant = held_out[0] if split in _HELD_OUT and held_out else split
        fix = did_you_mean(meant, dataset.splits)
        raise InputError(f"split {split!r} not in {name}; it has {known}", fix=fix)


def check_layout(dataset: Dataset, name: str, root: Path, *, split: str) -> None:
    """Raise InputError that tells the published layout, where the folder or a file of `split` is missing."""
    where = f" It is published at {dataset.source_url}." if dataset.source_url else ""
    fix = f"Put it there as published: {dataset.layout}.{where}" if dataset.layout else where
    if not root.is_dir():
        raise InputError(f"no folder {root} with dataset {name}", fix=fix)
    missing = [str(path) for path in dataset.rows.paths(root, split) if not path.exists()]
    if missing:
        raise InputError(f"split {split!r} of dataset {name} lacks {', '.join(missing)}", fix=fix)


def _completed(sample: Sample, dataset: Dataset, name: str, record_id: str, *, split: str, group: str) -> Sample:
    new: dict[str, Any] = {}
    if not sample.id:
        new["id"] = f"{name}/{split}/{record_id}"
    if sample.split is None:
        new["split"] = split
    if not sample.group:
        new["group"] = group
    if not sample.modality and dataset.modality:
        new["modality"] = dataset.modality
    if not sample.body_part and dataset.body_part:
        new["body_part"] = dataset.body_part
    if sample.provenance is None:
        new["provenance"] = Provenance(
            dataset=name,
            record_id=record_id,
            licence=dataset.licence,
            access=dataset.access,
            source_url=dataset.source_url,
        )
    return sample.model_copy(update=new) if new else sample
