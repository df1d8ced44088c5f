"""Audit: what each set of a mix would give, read row by row without writing anything or running an operator."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from osler.core.errors import InputError
from osler.core.files import sha256_bytes
from osler.curate.estimate import estimate_cost
from osler.curate.mixture import Terms
from osler.datasets.dataset import Draft
from osler.datasets.media import read_media
from osler.datasets.packed import SEP
from osler.media.image import image_facts
from osler.media.tiles import num_tiles
from osler.schema.media import MediaRef

# Of a file's first bytes, as many as hold the header of nearly every image; the others are read whole.
_HEAD_BYTES = 1 << 16
_SIZES_HELD = 100_000
_MERGE_AT = 1 << 20


@dataclass
class SetAudit:
    """One split of one set: counts of what was read; without files at hand, only what is published.

    tiles: None where an image of a kept sample is not at hand or has no readable header, so that it cannot be known.
    missing: how many images that is. left_out: why the set as a whole was not read, "" where it was.
    as_split: the split under which its samples would be stored, where that is another.
    expected: samples that the published count promises; None where it is not published, or a filter's part of it not.
    """

    terms: Terms
    split: str
    published: int | None
    is_here: bool = False
    left_out: str = ""
    as_split: str = ""
    expected: int | None = None
    read: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    images: int = 0
    missing: int = 0
    text_tokens: int = 0
    tiles: int | None = 0

    @property
    def stored_split(self) -> str:
        """The split under which its samples would be stored."""
        return self.as_split or self.split

    @property
    def size(self) -> int | None:
        """Samples that the mix weighs: those kept, else those to be expected."""
        if self.left_out:
            return 0
        return self.kept if self.is_here else self.expected


@dataclass(frozen=True)
class Tiling:
    """The tiling for which tiles are counted."""

    tile_px: int
    min_tiles: int
    max_tiles: int


@dataclass
class Counting:
    """Adds up drafts into a SetAudit; holds eight bytes an image and a bounded number of sizes."""

    audit: SetAudit
    root: Path
    tiling: Tiling
    _seen: "_Distinct" = field(default_factory=lambda: _Distinct())
    _missing: "_Distinct" = field(default_factory=lambda: _Distinct())
    _tiles: dict[str, int | None] = field(default_factory=dict)

    def add(self, draft: Draft, left_out: tuple[str, str] | None) -> None:
        """Count one row, taken or left out."""
        audit, sample = self.audit, draft.sample
        audit.read += 1
        if sample is None or left_out is not None:
            rule, reason = left_out or ("adapter", draft.skip)
            audit.dropped[f"{rule}: {reason.partition(':')[0]}"] += 1
            return
        audit.kept += 1
        audit.licences[sample.provenance.licence if sample.provenance else ""] += 1
        audit.text_tokens += estimate_cost(sample, tile_px=self.tiling.tile_px)[0]
        for ref in sample.media:
            place = draft.places.get(ref.path, ref.path)
            self._seen.add(place)
            tiles = self._tiles_of(ref, place)
            if tiles is None:
                self._missing.add(place)
                audit.tiles = None
            elif audit.tiles is not None:
                audit.tiles += tiles

    def finish(self) -> SetAudit:
        """The counts, once every row was added."""
        self.audit.images, self.audit.missing = len(self._seen), len(self._missing)
        return self.audit

    def _tiles_of(self, ref: MediaRef, place: str) -> int | None:
        if ref.kind != "image":
            return None
        if place not in self._tiles:
            if len(self._tiles) >= _SIZES_HELD:
                self._tiles.clear()
            size = (ref.width, ref.height) if ref.width and ref.height else _size(self.root, place)
            t = self.tiling
            self._tiles[place] = size and num_tiles(
                *size, tile_px=t.tile_px, min_tiles=t.min_tiles, max_tiles=t.max_tiles
            )
        return self._tiles[place]


def _size(root: Path, place: str) -> tuple[int, int] | None:
    """Width and height that an image's header says; None where there is no such file or no readable header."""
    if SEP not in place:
        try:
            with (root / place).open("rb") as file:
                facts = image_facts(file.read(_HEAD_BYTES))
                return facts.width, facts.height
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except InputError:
            pass  # a header longer than that: read whole below
    try:
        data = read_media(root, place)
        if data is None:
            return None
        facts = image_facts(data)
    except InputError:
        return None
    return facts.width, facts.height


class _Distinct:
    """Counts distinct words by 64 bits of their SHA-256."""

    def __init__(self) -> None:
        self._new = array("Q")
        self._known = np.zeros(0, np.uint64)

    def add(self, word: str) -> None:
        self._new.append(int(sha256_bytes(word.encode())[:16], 16))
        if len(self._new) >= _MERGE_AT:
            self._merge()

    def __len__(self) -> int:
        self._merge()
        return len(self._known)

    def _merge(self) -> None:
        self._known = np.union1d(self._known, np.frombuffer(self._new, np.uint64))
        self._new = array("Q")
