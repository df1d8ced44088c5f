"""Dataset: what an adapter declares, and how its rows become samples with an id, a group and a licence."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from osler.core.errors import InputError, did_you_mean
from osler.datasets.packed import archive_finder
from osler.schema.sample import Access, Provenance, Sample

Row = dict[str, Any]
Stage = Literal["align", "midtrain", "instruct", "evaluate", "classify"]
GroupUnit = Literal["", "patient", "study", "article", "image", "video", "question"]

# Other names in use for the split that models are compared on, too far from ours for a spelling check.
_HELD_OUT = frozenset({"val", "valid", "validate", "validation", "dev", "eval"})


class RowReader(Protocol):
    """Reads one split of a dataset in its published layout."""

    def __call__(self, root: Path, split: str) -> "Iterator[Row | BadRow]":
        """The rows of `split` under the folder `root`, in published order."""
        ...

    def paths(self, root: Path, split: str) -> list[Path]:
        """The files from which the rows of `split` come."""
        ...


@dataclass(frozen=True)
class BadRow:
    """What a reader gives for a row that cannot be read; `reason` is counted and kept with the drops."""

    reason: str


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
    media_archives: zip files below the root that are read where that folder is not there; without a folder, first.
    contiguous: rows about the same images lie next to each other, so records can be formed while reading.
    hub_id: OWNER/NAME on the Hugging Face hub; "" where it is not there.
    language: of its samples; one in another language has the tag `lang:xx`.
    stages: where the published recipes use it.
    group_unit: what `group_key` names.
    shared_groups: the published splits share groups: a score on one after training on another is not on unseen cases.
    known_from: how the layout is known: read from the published `file`s, from `code` that loads it, from its `card`.
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
    media_archives: tuple[str, ...] = ()
    hub_id: str = ""
    language: str = "en"
    stages: tuple[Stage, ...] = ()
    group_unit: GroupUnit = ""
    shared_groups: bool = False
    known_from: Literal["file", "code", "card"] = "card"


@dataclass(frozen=True)
class Draft:
    """A sample as read; or, where `sample` is None, why there is none.

    `key` is the record's name where the rows were stored records already, else "". `places` says where below the
    dataset's root the bytes of a media path lie, in the form that `media.read_media` takes; a path without an entry
    is below the root itself.
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
    find = _finder(dataset, root)
    for number, row in enumerate(dataset.rows(root, split)):
        if limit is not None and number >= limit:
            return
        if isinstance(row, BadRow):
            yield Draft(f"{name}/{split}/row-{number:06d}", None, skip=row.reason)
            continue
        record_id = str(row[dataset.id_key]) if dataset.id_key else f"{number:06d}"
        sample = _sample(dataset, row)
        if isinstance(sample, Skip):
            yield Draft(f"{name}/{split}/{record_id}", None, skip=sample.reason)
            continue
        # A row's number names it within its split only.
        alone = record_id if dataset.id_key else f"{split}/{record_id}"
        group = f"{name}/{row[dataset.group_key] if dataset.group_key else alone}"
        sample = _completed(sample, dataset, name, record_id, split=split, group=group)
        yield Draft(sample.id, sample, key=row.get("key", "") if "sample" in row else "", places=find(sample, row))


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


def _sample(dataset: Dataset, row: Row) -> Sample | Skip:
    try:
        return dataset.to_sample(row)
    except ValidationError as error:
        first = error.errors()[0]
        return Skip(f"not a valid sample: {first['msg']}")


def _finder(dataset: Dataset, root: Path) -> Callable[[Sample, Row], Mapping[str, str]]:
    """A function from a sample and its row to the places of its media."""
    folder = dataset.media_folder
    is_packed = bool(dataset.media_archives) and not (folder and (root / folder).is_dir())
    search = archive_finder(root, dataset.media_archives, folder) if is_packed else None

    def find(sample: Sample, row: Row) -> Mapping[str, str]:
        known: Mapping[str, str] = row.get("places", {})
        places = dict(known)
        for ref in sample.media if folder or search else ():
            for path in (ref.path, ref.mask.path) if ref.mask else (ref.path,):
                if path not in known:
                    below = f"{folder}/{path}" if folder else path
                    places[path] = (search(path) if search else None) or below
        return places

    return find


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
