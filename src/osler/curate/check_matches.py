"""Matches: one pass over a store's train split, samples and distinct images compared with an evaluation index."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate.duplicates.evaluation_index import EvaluationIndex
from osler.curate.duplicates.hamming import stacked
from osler.curate.duplicates.words import words
from osler.media.hashing import dhash256
from osler.schema.media import Window
from osler.schema.sample import Sample
from osler.store.reader import Store, record_starts

LEVELS = {
    "id": "source",
    "group": "source",
    "pmcid": "source",
    "doi": "source",
    "pmid": "source",
    "same_file": "image",
    "same_pixels": "image",
    "copy_of_image": "image",
    "run_of_8_words": "text",
    "same_words": "text",
}
"""Each rule with its level, in the order in which they are applied."""
_BATCH, _ROWS_AHEAD = 1024, 512
_AROUND = 12

Place = tuple[str, int, int]
"""Shard, offset and size of a file."""


@dataclass
class MatchOf:
    """The best match of one rule for one evaluation item. `num` counts all matches of the rule."""

    item: int
    rule: str
    train_id: str
    score: float
    is_doubtful: bool = False
    image: int = -1
    place: Place | None = None
    window: Window | None = None
    before: str = ""
    shared: str = ""
    after: str = ""
    num: int = 1


@dataclass(frozen=True)
class _TrainImage:
    sample_id: str
    place: Place
    window: Window | None


@dataclass
class Found:
    """What a pass found, and what it read."""

    num_samples: int = 0
    num_images: int = 0
    num_unreadable: int = 0
    _best: dict[tuple[int, str], MatchOf] = field(default_factory=dict)

    @property
    def matches(self) -> list[MatchOf]:
        """Matches by item, and of an item in the order of the rules."""
        order = list(LEVELS)
        return [self._best[key] for key in sorted(self._best, key=lambda key: (key[0], order.index(key[1])))]

    def add(self, match: MatchOf) -> None:
        """Keep the surest and then the nearest match of an item and rule, and count it."""
        key = (match.item, match.rule)
        known = self._best.get(key)
        if known is None:
            self._best[key] = match
            return
        match.num = known.num = known.num + 1
        if (not match.is_doubtful, match.score) > (not known.is_doubtful, known.score):
            self._best[key] = match

    def table(self, index: EvaluationIndex) -> pa.Table:
        """The matches as rows."""
        rows = [
            {
                "id": index.items[match.item].id,
                "dataset": index.items[match.item].dataset,
                "level": LEVELS[match.rule],
                "rule": match.rule,
                "train_id": match.train_id,
                "score": match.score,
                "doubtful": match.is_doubtful,
                "num_matches": match.num,
                "shared_words": match.shared,
            }
            for match in self.matches
        ]
        text = pa.string()
        names = ("id", "dataset", "level", "rule", "train_id")
        return pa.Table.from_pylist(
            rows,
            schema=pa.schema(
                [(name, text) for name in names]
                + [("score", pa.float64()), ("doubtful", pa.bool_()), ("num_matches", pa.int64())]
                + [("shared_words", text)]
            ),
        )


def find_matches(index: EvaluationIndex, store: Store, *, log: Log, split: str = "train") -> Found:
    """Compare a split of a store with the index. An image that cannot be decoded is counted and left out.

    Raises:
        InputError: the store has no such split.
    """
    found = Found()
    seen: set[str] = set()
    batch: list[_TrainImage] = []
    for row in log.progress(_record_rows(store, split), "compare training records", unit="records"):
        samples = store.record_samples(row)
        for sample in samples:
            found.num_samples += 1
            _compare_sample(index, sample, found)
        batch += _new_images(index, row, samples, seen, found)
        if len(batch) >= _BATCH:
            _compare_images(index, store, batch, found)
            batch = []
    _compare_images(index, store, batch, found)
    return found


def _record_rows(store: Store, split: str) -> Iterator[dict[str, Any]]:
    table = store.table(split)
    starts = record_starts(table)
    for start in range(0, len(starts), _ROWS_AHEAD):
        yield from store.rows(table, starts[start : start + _ROWS_AHEAD])


def _compare_sample(index: EvaluationIndex, sample: Sample, found: Found) -> None:
    for item, rule, key in index.by_source(sample):
        found.add(MatchOf(item, rule, sample.id, 1.0, shared=key))
    text = train_words(sample)
    for match in index.by_words(text):
        tokens = words(text)
        found.add(
            MatchOf(
                match.owner,
                match.rule,
                sample.id,
                match.score,
                before=" ".join(tokens[max(0, match.start - _AROUND) : match.start]),
                shared=" ".join(tokens[match.start : match.end]),
                after=" ".join(tokens[match.end : match.end + _AROUND]),
            )
        )


def train_words(sample: Sample) -> str:
    """All words of a training sample."""
    return "\n".join([*(turn.text for turn in sample.turns), sample.reasoning, sample.answer.text])


def _new_images(
    index: EvaluationIndex, row: dict[str, Any], samples: tuple[Sample, ...], seen: set[str], found: Found
) -> Iterator[_TrainImage]:
    """The images of a record that were not seen yet; one that is an evaluation image's own file is found at once."""
    refs = {ref.path: ref for sample in samples for ref in sample.media if ref.kind == "image"}
    columns = (row[f"media_{name}"] for name in ("names", "offsets", "sizes", "sha256"))
    for name, offset, size, digest in zip(*columns, strict=True):
        if digest in seen or name not in refs:
            continue
        seen.add(digest)
        found.num_images += 1
        image = _TrainImage(samples[0].id, (row["shard"], offset, size), refs[name].window)
        same = index.by_file(digest)
        if same is not None:
            _add_image(index, found, image, same, rule="same_file", score=1.0)
        yield image


def _compare_images(index: EvaluationIndex, store: Store, batch: list[_TrainImage], found: Found) -> None:
    hashes, images = [], []
    for image in batch if index.images else ():
        try:
            hashes.append(dhash256(store.read_bytes(*image.place), window=image.window))
            images.append(image)
        except InputError:
            found.num_unreadable += 1
    for match in index.by_image(
        stacked(hashes), lambda row: (store.read_bytes(*images[row].place), images[row].window)
    ):
        _add_image(
            index,
            found,
            images[match.row],
            match.image,
            rule=match.rule,
            score=match.score,
            is_doubtful=match.is_doubtful,
        )


def _add_image(
    index: EvaluationIndex,
    found: Found,
    image: _TrainImage,
    number: int,
    *,
    rule: str,
    score: float,
    is_doubtful: bool = False,
) -> None:
    for item in index.item_numbers(number):
        match = MatchOf(item, rule, image.sample_id, score, is_doubtful, number, image.place, image.window)
        found.add(match)
