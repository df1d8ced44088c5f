"""ImageSet: the pictures of one classification set with their labels, groups and published splits."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from osler.core.errors import InputError
from osler.core.files import sha256_json
from osler.datasets.media import read_media
from osler.schema.media import Window


@dataclass(frozen=True)
class Item:
    """One picture. split: the published one. labels: numbers of its classes, just one but in a multi-label set.

    sha256: of the file's bytes. folder, place: what `datasets.media.read_media` takes.
    """

    id: str
    group: str
    split: str
    labels: tuple[int, ...]
    sha256: str
    folder: str
    place: str
    window: Window | None = None

    def read(self) -> bytes:
        """The file's bytes. Raises InputError where it is not there any more."""
        data = read_media(Path(self.folder), self.place)
        if data is None:
            raise InputError(f"image {self.place} below {self.folder} is gone", fix="Put it back and run again.")
        return data

    @property
    def key(self) -> str:
        """What its features are kept under: the file, and the window through which it is shown."""
        return sha256_json([self.sha256, self.window.model_dump() if self.window else None])


@dataclass(frozen=True)
class Drop:
    """A row that is no item, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class ImageSet:
    """A classification set. `classes` are fixed: also one that no item has is scored.

    Args:
        modality, licence: of the pictures, as the set's adapter declares.
        notes: what a reader has to know.
    """

    name: str
    classes: tuple[str, ...]
    is_multi_label: bool
    items: tuple[Item, ...]
    drops: tuple[Drop, ...] = ()
    modality: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Of the items: their names, files, labels, groups and splits."""
        return sha256_json([[item.id, item.key, item.labels, item.group, item.split] for item in self.items])

    def has(self, split: str) -> bool:
        """Whether a split of this name is published."""
        return any(item.split == split for item in self.items)

    def targets(self) -> np.ndarray:
        """The truth: int64 [n], or bool [n, classes] of a multi-label set."""
        if not self.is_multi_label:
            return np.asarray([item.labels[0] for item in self.items], dtype=np.int64)
        table = np.zeros((len(self.items), len(self.classes)), dtype=bool)
        for row, item in enumerate(self.items):
            table[row, list(item.labels)] = True
        return table
