"""Read an image set: a classification adapter's samples, or a store's, as items with labels and checked files."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from osler.core.catalog import ADAPTERS
from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.core.log import Log
from osler.core.rng import generator
from osler.datasets.dataset import Dataset, Draft, check_layout, read_drafts
from osler.datasets.media import read_media
from osler.schema.sample import Sample
from osler.store.reader import Store
from osler.transfer.image_set import Drop, ImageSet, Item
from osler.transfer.labels import Labelled, NotLabelled, declared_classes, labels_of
from osler.transfer.resize import shown_picture

_STORE_ADAPTER = "phantom"
_READ_AHEAD = 64


class ImageSetConfig(Config):
    """One image set of a recipe.

    name: what results call it. dataset: its adapter, with its folder `root`; or `shards`, the output folder of
        `osler synth` or `osler curate`.
    task: keep a store's samples of this task only. tag: keep samples with this tag only, such as `set:bloodmnist`.
    target: what of a drawn film's checklist is asked: `findings`, `one_finding` or the name of a finding.
    label_tag: tags `LABEL_TAG:NAME` name the labels where the answer does not.
    splits: `published` keeps those that there are; `own` cuts the whole set by seed.
    limit_per_class: of each published split, drawn by a fixed seed; None keeps all.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    dataset: str = ""
    root: Path | None = None
    shards: Path | None = None
    task: str = ""
    tag: str = ""
    target: str = ""
    label_tag: str = "label"
    splits: Literal["published", "own"] = "published"
    limit_per_class: PositiveInt | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.shards is None) == (not self.dataset) or (self.root is None) == (self.shards is None):
            raise ValueError(f"image set {self.name!r}: give dataset and root, or shards")
        return self


@dataclass(frozen=True)
class _Candidate:
    id: str
    sample: Sample
    place: str
    labelled: Labelled
    split: str


def set_paths(config: ImageSetConfig) -> list[Path]:
    """The files that list the rows of a set, for the manifest. Raises InputError where they are missing."""
    adapter, root = _source(config)
    dataset = ADAPTERS.load(adapter)
    paths = [path for split in _splits_at_hand(dataset, adapter, root) for path in dataset.rows.paths(root, split)]
    return list(dict.fromkeys(paths))


def read_image_set(config: ImageSetConfig, *, deep_gray: str, num_threads: int, log: Log) -> ImageSet:
    """The set with its items in published order. What cannot be an item is a drop with its reason.

    Args:
        config: which set.
        deep_gray: see `ResizeConfig`.
        num_threads: that read and decode.
        log: shows the progress of the reading.

    Raises:
        InputError: no folder, no image, one class only, or samples that declare different classes.
    """
    adapter, root = _source(config)
    dataset = ADAPTERS.load(adapter)
    drops: list[Drop] = []
    found = list(_candidates(config, dataset, adapter, root, drops))
    if not found:
        raise _nothing(config, root, drops)
    classes = declared_classes(config.name, [each.labelled for each in found])
    is_multi_label = any(each.labelled.is_multi_label for each in found)
    found = _limited(found, config.limit_per_class)
    has_test = config.splits == "published" and any(each.split == "test" for each in found)
    items: list[Item] = []
    seen: set[tuple[str, str]] = set()
    with ThreadPoolExecutor(max(1, num_threads)) as pool:
        checked = _ahead(pool, root, found, deep_gray)
        for each, (sha256, reason) in log.progress(checked, f"read {config.name}", total=len(found), unit="images"):
            asked = (each.place, each.split)
            if reason or asked in seen:
                drops.append(Drop(each.id, reason or "its picture is an item already"))
                continue
            seen.add(asked)
            items.append(
                Item(
                    id=each.id,
                    group=each.sample.group,
                    split=each.split if has_test else "",
                    labels=tuple(classes.index(name) for name in each.labelled.found),
                    sha256=sha256,
                    folder=str(root),
                    place=each.place,
                    window=each.sample.media[0].window,
                )
            )
    if not items:
        raise _nothing(config, root, drops)
    return ImageSet(
        name=config.name,
        classes=classes,
        is_multi_label=is_multi_label,
        items=_checked(config, tuple(items), classes),
        drops=tuple(drops),
        modality=dataset.modality,
        licence=dataset.licence,
    )


def _source(config: ImageSetConfig) -> tuple[str, Path]:
    """The adapter and its folder. A store is read by the adapter of drawn films, which takes samples as they are."""
    if config.shards is not None:
        return _STORE_ADAPTER, config.shards
    if config.root is None:
        raise InputError(f"image set {config.name!r} has no root")
    return config.dataset, config.root


def _splits_at_hand(dataset: Dataset, adapter: str, root: Path) -> list[str]:
    """The published splits whose files are there; the first one's absence is an error, another's is none."""
    if adapter == _STORE_ADAPTER:
        at_hand = Store(root).splits()
        return [split for split in dataset.splits if split in at_hand]
    found = []
    for place, split in enumerate(dataset.splits):
        try:
            check_layout(dataset, adapter, root, split=split)
            found.append(split)
        except InputError:
            if place == 0:
                raise
    return found


def _candidates(
    config: ImageSetConfig, dataset: Dataset, adapter: str, root: Path, drops: list[Drop]
) -> Iterator[_Candidate]:
    for split in _splits_at_hand(dataset, adapter, root):
        for draft in read_drafts(dataset, adapter, root, split=split):
            if draft.sample is not None and not _is_asked(config, draft.sample):
                continue
            found = _candidate(config, draft, split)
            if isinstance(found, Drop):
                drops.append(found)
            else:
                yield found


def _is_asked(config: ImageSetConfig, sample: Sample) -> bool:
    return (not config.task or sample.task == config.task) and (not config.tag or config.tag in sample.tags)


def _candidate(config: ImageSetConfig, draft: Draft, split: str) -> _Candidate | Drop:
    sample = draft.sample
    if sample is None:
        return Drop(draft.id, draft.skip)
    if len(sample.media) != 1:
        return Drop(sample.id, f"{len(sample.media)} images, expected one")
    labelled = labels_of(sample, target=config.target, label_tag=config.label_tag)
    if isinstance(labelled, NotLabelled):
        return Drop(sample.id, labelled.reason)
    path = sample.media[0].path
    return _Candidate(sample.id, sample, draft.places.get(path, path), labelled, sample.split or split)


def _limited(found: list[_Candidate], limit: int | None) -> list[_Candidate]:
    """At most `limit` of each split and first label, drawn by a fixed seed, in their order."""
    if limit is None:
        return found
    by_class: dict[tuple[str, str], list[int]] = {}
    for row, each in enumerate(found):
        by_class.setdefault((each.split, each.labelled.found[0] if each.labelled.found else ""), []).append(row)
    kept: list[int] = []
    for (split, label), rows in by_class.items():
        drawn = generator(0, "limit_per_class", split, label).permutation(len(rows))[:limit]
        kept += [rows[place] for place in drawn]
    return [found[row] for row in sorted(kept)]


def _ahead(
    pool: ThreadPoolExecutor, root: Path, found: list[_Candidate], deep_gray: str
) -> Iterator[tuple[_Candidate, tuple[str, str]]]:
    """Each candidate with its file's hash and what is wrong with it, a few read ahead."""
    for start in range(0, len(found), _READ_AHEAD):
        part = found[start : start + _READ_AHEAD]
        yield from zip(part, pool.map(lambda each: _check(root, each, deep_gray), part), strict=True)


def _check(root: Path, candidate: _Candidate, deep_gray: str) -> tuple[str, str]:
    """The SHA-256 of a candidate's file, and why it cannot be shown; "" where it can."""
    data = read_media(root, candidate.place)
    if data is None:
        return "", "its file is not there"
    try:
        shown_picture(data, candidate.sample.media[0].window, deep_gray=deep_gray)
    except InputError as error:
        return "", f"cannot be shown: {str(error).splitlines()[0]}"
    return sha256_bytes(data), ""


def _checked(config: ImageSetConfig, items: tuple[Item, ...], classes: tuple[str, ...]) -> tuple[Item, ...]:
    """The items. Raises InputError where there is a test part and no train part, or what was read has one class."""
    if any(item.split for item in items) and not any(item.split == "train" for item in items):
        raise InputError(
            f"set {config.name!r} has a test split and no image to learn from",
            expected="images in its train split too",
            fix="Add its train split, or cut the set by seed with splits: own.",
        )
    present = sorted({label for item in items for label in item.labels})
    if len(present) < 2 and all(len(item.labels) == 1 for item in items):
        raise InputError(
            f"set {config.name!r} has one class only, so there is nothing to tell apart",
            expected="images of at least two classes",
            got=", ".join(classes[label] for label in present),
        )
    return items


def _nothing(config: ImageSetConfig, root: Path, drops: list[Drop]) -> InputError:
    reasons = sorted({drop.reason for drop in drops})
    return InputError(
        f"set {config.name!r} has no image that can be used below {root}",
        expected="images with labels",
        got=f"{len(drops)} dropped rows: {'; '.join(reasons[:3])}" if drops else "none",
        fix="Check the folder, and the keys task, tag and target of the set.",
    )
