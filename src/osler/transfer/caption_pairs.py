"""Pairs of images and texts out of a store: captions, and what articles say of their figures.

Images of the same bytes are one image, and texts of the same words (case and blanks aside) are one text. What belongs
together is therefore a relation: a text stands for every image that has it, and an image for each of its texts.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from osler.core.errors import InputError
from osler.core.files import sha256_json
from osler.datasets.media import store_rows
from osler.schema.media import MediaRef
from osler.schema.sample import Sample
from osler.transfer.image_set import Drop, Item

Source = Literal["caption", "mention"]


@dataclass(frozen=True)
class Pairs:
    """Images and texts without repeats, and which belong together.

    images: as items without labels, in order of a hash of their keys. texts: the words as they first came.
    pairs: int64 [P, 2], of an image and a text, without repeats. image_groups, text_groups: what intervals go by; a
    text of several groups counts to the first of them.
    num_read: (record, text) pairs before repeats were joined.
    """

    name: str
    images: tuple[Item, ...]
    texts: tuple[str, ...]
    pairs: np.ndarray
    image_groups: tuple[str, ...]
    text_groups: tuple[str, ...]
    num_read: int
    drops: tuple[Drop, ...] = ()

    @property
    def sha256(self) -> str:
        """Of what is retrieved: the images' bytes, the texts, and what belongs together."""
        return sha256_json([[image.key for image in self.images], self.texts, self.pairs.tolist()])

    def num_right(self, side: Literal[0, 1]) -> np.ndarray:
        """How many right partners each image (side 0) or each text (side 1) has."""
        return np.bincount(self.pairs[:, side], minlength=len((self.images, self.texts)[side]))


@dataclass
class _Record:
    """One record's picture with the texts that it has."""

    media: MediaRef
    place: str
    sample: Sample
    texts: list[str]


def read_pairs(
    name: str,
    folder: Path,
    split: str,
    *,
    texts: tuple[Source, ...] = ("caption",),
    tasks: Collection[str] | None = None,
    max_images: int | None = None,
) -> Pairs:
    """The pairs of one split of a store.

    Args:
        name: of the set, in results.
        folder: the store.
        split: of it.
        texts: which texts count: `caption` is the answer of a sample whose answer is a passage, `mention` a paragraph
            of an article that speaks of the figure.
        tasks: of which samples captions are taken; None for all whose answer is a passage.
        max_images: at most so many records, chosen by a hash of their keys; None for all.

    Raises:
        InputError: fewer than two different images or texts, or no sample with one of `tasks`.
    """
    drops: list[Drop] = []
    records = [(key, record) for key, record in _records(folder, split, drops, texts, tasks)]
    records.sort(key=lambda item: hashlib.sha256(item[0].encode()).digest())
    kept = records if max_images is None else records[:max_images]
    pairs = _joined(name, folder, split, kept, drops)
    _check(pairs, folder, split, tasks)
    return pairs


def _records(
    folder: Path, split: str, drops: list[Drop], texts: Collection[Source], tasks: Collection[str] | None
) -> Iterator[tuple[str, _Record]]:
    """Records of one image that have a text, by key; the others are noted as drops."""
    open_key = ""
    samples: list[Sample] = []
    places: dict[str, str] = {}
    for row in store_rows(folder, split):
        if row["key"] != open_key and samples:
            yield from _record(open_key, samples, places, drops, texts=texts, tasks=tasks)
            samples = []
        open_key, places = row["key"], row["places"]
        samples.append(row["sample"])
    if samples:
        yield from _record(open_key, samples, places, drops, texts=texts, tasks=tasks)


def _record(
    key: str,
    samples: list[Sample],
    places: dict[str, str],
    drops: list[Drop],
    *,
    texts: Collection[Source],
    tasks: Collection[str] | None,
) -> Iterator[tuple[str, _Record]]:
    media = samples[0].media
    words = [word for sample in samples for word in _texts(sample, texts, tasks)]
    if len(media) != 1:
        drops.append(Drop(key, "no image" if not media else "several images"))
    elif not words:
        drops.append(Drop(key, "no text of the kind asked for"))
    else:
        yield key, _Record(media[0], places[media[0].path], samples[0], words)


def _texts(sample: Sample, texts: Collection[Source], tasks: Collection[str] | None) -> Iterator[str]:
    if "caption" in texts and sample.answer.kind == "text" and (tasks is None or sample.task in tasks):
        yield from [sample.answer.text] if sample.answer.text.strip() else []
    if "mention" in texts:
        yield from (mention.text for mention in sample.mentions if mention.text.strip())


def _joined(name: str, folder: Path, split: str, records: list[tuple[str, _Record]], drops: list[Drop]) -> Pairs:
    """Repeats joined; numbers are given in order of first appearance."""
    images: dict[str, Item] = {}
    texts: dict[str, str] = {}
    groups: tuple[dict[str, str], dict[str, str]] = ({}, {})
    found: dict[tuple[str, str], None] = {}
    num_read = 0
    for key, record in records:
        group = record.sample.group or key
        item = Item(key, group, split, (), record.media.sha256, str(folder), record.place, record.media.window)
        images.setdefault(item.key, item)
        groups[0].setdefault(item.key, group)
        for text in record.texts:
            words = " ".join(text.casefold().split())
            texts.setdefault(words, " ".join(text.split()))
            groups[1][words] = min(group, groups[1].get(words, group))
            found.setdefault((item.key, words))
            num_read += 1
    image_number = {key: number for number, key in enumerate(images)}
    text_number = {words: number for number, words in enumerate(texts)}
    pairs = [(image_number[image], text_number[words]) for image, words in found]
    return Pairs(
        name=name,
        images=tuple(images.values()),
        texts=tuple(texts.values()),
        pairs=np.asarray(pairs, dtype=np.int64).reshape(-1, 2),
        image_groups=tuple(groups[0].values()),
        text_groups=tuple(groups[1][words] for words in texts),
        num_read=num_read,
        drops=tuple(drops),
    )


def _check(pairs: Pairs, folder: Path, split: str, tasks: Collection[str] | None) -> None:
    where = f"split {split!r} of {folder}"
    if not pairs.images:
        reasons = sorted({drop.reason for drop in pairs.drops})
        raise InputError(
            f"retrieval set {pairs.name!r}: no image with a text in {where}",
            expected=f"captions of {', '.join(tasks)}" if tasks else "samples whose answer is a passage, or mentions",
            got="; ".join(reasons) or "no record",
            fix="See `osler show` of the store for its tasks.",
        )
    for noun, count in (("image", len(pairs.images)), ("text", len(pairs.texts))):
        if count < 2:
            raise InputError(
                f"retrieval set {pairs.name!r}: all records of {where} share one {noun}, so every answer is right",
                expected=f"at least two different {noun}s",
                got="1",
            )
