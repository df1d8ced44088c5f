"""EvaluationIndex: evaluation items in the forms in which training data may hold them.

Evaluation images are few and training images many, so each evaluation image is kept in some hundred forms and a
training image is hashed once. 17 kB an image; a comparison with a training image takes about half a microsecond.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_file, sha256_bytes
from osler.core.rng import generator
from osler.curate.duplicates.alike import MAX_PAIRS, best_likeness, doubtful_likeness, needed_likeness
from osler.curate.duplicates.hamming import HashIndex
from osler.curate.duplicates.sources import source_keys
from osler.curate.duplicates.words import Match, TextIndex
from osler.media.hashing import (
    HASH_BYTES,
    Variants,
    gray_hash,
    pixel_sha256,
    read_content,
    read_gray,
    variants,
    without_border,
)
from osler.schema.media import Window
from osler.schema.sample import Sample

RADIUS = 48
ITEMS, IMAGES = "items.parquet", "images.parquet"
_HELD = 512


Shown = tuple[bytes, Window | None]
"""An image file and the window through which it is shown."""


@dataclass(frozen=True)
class EvalItem:
    """One evaluation item. `words` are those that may leak: see `leaking_words`. `images` are image numbers."""

    id: str
    dataset: str
    words: str
    sources: dict[str, str]
    images: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class EvalImage:
    """One evaluation image, in gray and small. `needed` is the likeness that a copy of it must reach."""

    file_sha256: str
    pixels_sha256: str
    dataset: str
    gray: np.ndarray
    codes: np.ndarray
    needed: float = 0.0


class ImageMatch(NamedTuple):
    """Training image number `row` shows evaluation image number `image`. A doubtful match is for a person to judge."""

    row: int
    image: int
    rule: str
    score: float
    is_doubtful: bool = False


@dataclass
class EvaluationIndex:
    """What training data is compared with.

    unreadable: the ids of items of which an image was missing or broken: nothing can be said about these images.
    """

    items: list[EvalItem]
    images: list[EvalImage]
    unreadable: list[str] = field(default_factory=list)

    def by_words(self, text: str) -> list[Match]:
        """The items that a training text repeats; `owner` is the item's number."""
        return self._texts.matches(text)

    def by_source(self, sample: Sample) -> list[tuple[int, str, str]]:
        """The items from the same article or group, or with the same id: number, rule and key."""
        keys = source_keys(sample)
        return [(item, kind, key) for key, kind in keys.items() for item in self._sources.get(key, ())]

    def by_file(self, sha256: str) -> int | None:
        """The image of which this is the file."""
        return self._files.get(sha256)

    def by_image(self, codes: np.ndarray, read: Callable[[int], Shown]) -> Iterator[ImageMatch]:
        """The images that training images show, with their pixels compared.

        Args:
            codes: dHash256 of each training image, uint8 [rows, 32].
            read: the file of a row and its window; called for those with a near hash only.
        """
        if not self.images:
            return
        for rows, numbers, distances in self._hashes.near(codes, RADIUS):
            for row in np.unique(rows):
                mine = rows == row
                yield from self._of_one(int(row), numbers[mine], distances[mine], *read(int(row)))

    def item_numbers(self, image: int) -> list[int]:
        """The items that show an image."""
        return self._owners[image]

    def forms(self, image: int) -> Variants:
        """The variants of an image, made anew from its gray pixels."""
        return self._variants(image)

    def _of_one(
        self, row: int, numbers: np.ndarray, distances: np.ndarray, data: bytes, window: Window | None
    ) -> Iterator[ImageMatch]:
        content = read_content(data, window=window)
        pixels = pixel_sha256(data) if distances[0] <= _SAME_PIXELS else ""
        owners, missed = self._image_of[numbers], 0
        # The nearest come first: `distances` ascends, so an image is met where its nearest variant is.
        for image in dict.fromkeys(owners.tolist()):
            mine = owners == image
            places = numbers[mine] - self._starts[image]
            known = self.images[image]
            if pixels == known.pixels_sha256:
                yield ImageMatch(row, image, "same_pixels", 1.0)
                continue
            score = best_likeness(self.forms(image), places.tolist(), distances[mine].tolist(), content=content)
            if score >= doubtful_likeness(known.needed):
                yield ImageMatch(row, image, "copy_of_image", score, score < known.needed)
                continue
            missed += 1
            if missed == max(_MISSES, len(self.images) // _MISSED_PART):
                return

    @cached_property
    def _texts(self) -> TextIndex:
        return TextIndex(item.words for item in self.items)

    @cached_property
    def _sources(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, item in enumerate(self.items):
            for key in item.sources:
                found.setdefault(key, []).append(number)
        return found

    @cached_property
    def _files(self) -> dict[str, int]:
        return {image.file_sha256: number for number, image in enumerate(self.images)}

    @cached_property
    def _owners(self) -> list[list[int]]:
        owners: list[list[int]] = [[] for _ in self.images]
        for number, item in enumerate(self.items):
            for image in item.images:
                owners[image].append(number)
        return owners

    @cached_property
    def _hashes(self) -> HashIndex:
        return HashIndex(np.concatenate([image.codes for image in self.images]))

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.cumsum([0, *(len(image.codes) for image in self.images)])[:-1]

    @cached_property
    def _image_of(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.images)), [len(image.codes) for image in self.images])

    @cached_property
    def _variants(self) -> Callable[[int], Variants]:
        return lru_cache(maxsize=_HELD)(lambda image: variants(self.images[image].gray))


# Pixels that are the same give hashes that are nearly the same: a JPEG is hashed from a smaller decoding.
_SAME_PIXELS = 16
# Among films of one view nearly every hash is near. Of 2,100 changed copies of 500 drawn films, the original was the
# nearest of all in 99 % and never farther than the fourth (and first for real images), so that after so many nearer
# ones, or this part of all images, that are no copies, none is to come.
_MISSES, _MISSED_PART = 8, 50


def build_index(samples: Iterable[tuple[Sample, Sequence[bytes | None]]], *, seed: int = 0) -> EvaluationIndex:
    """The index of evaluation samples, each with the files of its images; None for one that is not there.

    Args:
        samples: read once.
        seed: draws the pairs of images on which the needed likeness is measured.
    """
    items: list[EvalItem] = []
    images: list[EvalImage] = []
    numbers: dict[str, int] = {}
    unreadable: list[str] = []
    for sample, files in samples:
        dataset = sample.provenance.dataset if sample.provenance else ""
        shown: list[int] = []
        for ref, data in zip(sample.media, files, strict=True):
            digest = sha256_bytes(data) if data else ""
            try:
                if data and digest not in numbers:
                    images.append(_image(data, digest, dataset, read_gray(data, window=ref.window)))
                    numbers[digest] = len(images) - 1
            except InputError:
                digest = ""
            if digest:
                shown.append(numbers[digest])
        if len(shown) < len(sample.media):
            unreadable.append(sample.id)
        items.append(EvalItem(sample.id, dataset, leaking_words(sample), source_keys(sample), tuple(shown)))
    return EvaluationIndex(items, _with_needed(images, seed), unreadable)


def leaking_words(sample: Sample) -> str:
    """The words of an item that training must not have seen: question and answer, or under an image the answer.

    Questions about images come from templates, and without its image such a question tells nothing.
    """
    return sample.answer.text if sample.media else f"{sample.question}\n{sample.answer.text}"


def save_index(folder: Path, index: EvaluationIndex) -> None:
    """Write `items.parquet` and `images.parquet`."""
    items = [
        {
            "id": item.id,
            "dataset": item.dataset,
            "words": item.words,
            "source_keys": list(item.sources),
            "source_kinds": list(item.sources.values()),
            "images": list(item.images),
        }
        for item in index.items
    ]
    images = [
        {
            "file_sha256": image.file_sha256,
            "pixels_sha256": image.pixels_sha256,
            "dataset": image.dataset,
            "height": image.gray.shape[0],
            "width": image.gray.shape[1],
            "gray": image.gray.tobytes(),
            "codes": image.codes.tobytes(),
            "needed": image.needed,
        }
        for image in index.images
    ]
    for name, rows, schema in ((ITEMS, items, _ITEM_SCHEMA), (IMAGES, images, _IMAGE_SCHEMA)):
        with atomic_write(folder / name) as file:
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), file, compression="zstd", compression_level=3)


def load_index(folder: Path) -> EvaluationIndex:
    """The index that `osler curate check` wrote. Raises InputError where there is none."""
    tables = []
    for name in (ITEMS, IMAGES):
        path = existing_file(Path(folder) / name)
        try:
            tables.append(pq.read_table(path, partitioning=None).to_pylist())
        except pa.ArrowException as error:
            raise InputError(
                f"{path} is no part of an evaluation index: {error}", fix="Run osler curate check."
            ) from error
    items, images = tables
    return EvaluationIndex(
        [
            EvalItem(
                row["id"],
                row["dataset"],
                row["words"],
                dict(zip(row["source_keys"], row["source_kinds"], strict=True)),
                tuple(row["images"]),
            )
            for row in items
        ],
        [
            EvalImage(
                row["file_sha256"],
                row["pixels_sha256"],
                row["dataset"],
                np.frombuffer(row["gray"], np.uint8).reshape(row["height"], row["width"]),
                np.frombuffer(row["codes"], np.uint8).reshape(-1, HASH_BYTES),
                row["needed"],
            )
            for row in images
        ],
    )


_ITEM_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "dataset", "words")]
    + [(name, pa.list_(pa.string())) for name in ("source_keys", "source_kinds")]
    + [("images", pa.list_(pa.int32()))]
)
_IMAGE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("file_sha256", "pixels_sha256", "dataset")]
    + [("height", pa.int32()), ("width", pa.int32()), ("gray", pa.binary()), ("codes", pa.binary())]
    + [("needed", pa.float64())]
)


def _image(data: bytes, digest: str, dataset: str, gray: np.ndarray) -> EvalImage:
    return EvalImage(digest, pixel_sha256(data), dataset, gray, variants(gray).codes)


def _with_needed(images: list[EvalImage], seed: int) -> list[EvalImage]:
    """The images with the likeness that a copy must reach, which is measured within each dataset."""
    needed = {name: _needed([i for i in images if i.dataset == name], seed) for name in {i.dataset for i in images}}
    return [EvalImage(i.file_sha256, i.pixels_sha256, i.dataset, i.gray, i.codes, needed[i.dataset]) for i in images]


def _needed(images: list[EvalImage], seed: int) -> float:
    """From pairs of a dataset's own images with near hashes. Drawn images, so that the cost does not grow."""
    random = generator(seed, "needed_likeness")
    drawn = [images[number] for number in sorted(random.permutation(len(images))[:_DRAWN])]
    index = EvaluationIndex([], drawn)
    codes = np.stack([np.frombuffer(gray_hash(image.gray), np.uint8) for image in drawn])
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for rows, numbers, distances in index._hashes.near(codes, RADIUS):
        for row, number, bits in zip(rows.tolist(), numbers.tolist(), distances.tolist(), strict=True):
            other = int(index._image_of[number])
            if other != row:
                found.setdefault((row, other), []).append((number - int(index._starts[other]), bits))
    pairs = list(found)
    scores = []
    for number in random.permutation(len(pairs))[:MAX_PAIRS]:
        row, other = pairs[number]
        places, bits = zip(*found[row, other], strict=True)
        content = without_border(drawn[row].gray)
        scores.append(best_likeness(index.forms(other), places, bits, content=content))
    return needed_likeness(scores)


_DRAWN = 200
