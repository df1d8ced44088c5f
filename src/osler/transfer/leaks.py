"""Leaks: pictures of a set that show the same thing as another, exactly or nearly, and what that does to a split.

Every picture is looked for among the others in some hundred forms (cropped, turned a little, mirrored), as curation
looks for evaluation images in training data; and by its keypoints, in any turn and place, as augmented sets hold it.
A pair that is nearly sure counts; one that a person should judge is listed only.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.files import read_json, sha256_json
from osler.core.log import Log
from osler.curate.duplicates.evaluation_index import EvaluationIndex, Shown, build_index
from osler.curate.duplicates.turned import Pool, see
from osler.media.hashing import dhash256, read_gray
from osler.schema.sample import Answer, Provenance, Sample, image, user
from osler.transfer.image_set import ImageSet, Item
from osler.transfer.shared_files import write_shared_json
from osler.transfer.splits import Split, joined_groups

LEAKS_VERSION = 1
SAME_FILE, SAME_GROUP, TURNED = "same_file", "same_group", "turned_copy"
MAX_TURNED_PAIRS = 5_000_000
_BATCH = 1024


@dataclass(frozen=True)
class Pair:
    """Two items, by place in the set, the earlier one first, that show one picture by `rule`."""

    first: int
    second: int
    rule: str
    score: float
    is_doubtful: bool = False


@dataclass(frozen=True)
class SetLeaks:
    """The pairs of a set. notes: what was not looked for."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()

    def copies(self) -> list[tuple[int, int]]:
        """The pairs that count."""
        return [(pair.first, pair.second) for pair in self.pairs if not pair.is_doubtful]

    def groups(self, image_set: ImageSet) -> tuple[str, ...]:
        """The group of each item, where groups that share a picture are one, named after the first of them."""
        names: dict[int, str] = {}
        numbers = joined_groups(image_set, self.copies()).tolist()
        for number, item in zip(numbers, image_set.items, strict=True):
            names.setdefault(number, item.group or item.id)
        return tuple(names[number] for number in numbers)

    def flags(self, image_set: ImageSet, split: Split) -> tuple[str, ...]:
        """Of each test item, why it is no unseen one: a copy or its group lies in train or validation."""
        learned = np.concatenate([split.train, split.validation])
        names = {image_set.items[row].group or image_set.items[row].id for row in learned}
        seen, rows = set(learned.tolist()), set(split.test.tolist())
        found: dict[int, str] = {}
        for pair in self.pairs:
            for row, other in ((pair.first, pair.second), (pair.second, pair.first)):
                if row in rows and other in seen and not pair.is_doubtful:
                    found.setdefault(row, f"{pair.rule}: {image_set.items[other].id}")
        for row in split.test.tolist():
            group = image_set.items[row].group or image_set.items[row].id
            if group in names:
                found.setdefault(row, f"{SAME_GROUP}: {group}")
        return tuple(found.get(row, "") for row in split.test.tolist())


def find_leaks(image_set: ImageSet, out: Path, *, num_threads: int, log: Log) -> SetLeaks:
    """The pairs of a set, found once and kept in `out/leaks/`.

    Where a test split is published, test and validation pictures are looked for in what comes before them (train, and
    validation too); otherwise every picture is looked for among all.
    """
    path = out / "leaks" / f"{image_set.name}.json"
    key = sha256_json([LEAKS_VERSION, [[item.id, item.key, item.split] for item in image_set.items]])
    if path.is_file() and (kept := read_json(path)).get("items_sha256") == key:
        return SetLeaks(tuple(Pair(**pair) for pair in kept["pairs"]), tuple(kept["notes"]))
    rows, asked = _looked_for(image_set)
    pairs = _same_files(image_set) + _same_pictures(image_set, rows, asked, log=log)
    num_turned = len(asked) * len(rows)
    notes: tuple[str, ...] = ()
    if num_turned <= MAX_TURNED_PAIRS:
        pairs += _turned(image_set, rows, asked, num_threads=num_threads, log=log)
    else:
        notes = (
            f"copies in any turn and place were not looked for: {num_turned:,} pairs, of at most {MAX_TURNED_PAIRS:,}",
        )
    best: dict[tuple[int, int], Pair] = {}
    for pair in pairs:
        known = best.get((pair.first, pair.second))
        if known is None or (not pair.is_doubtful, pair.score) > (not known.is_doubtful, known.score):
            best[pair.first, pair.second] = pair
    found = SetLeaks(tuple(best[places] for places in sorted(best)), notes)
    write_shared_json(path, {"items_sha256": key, "pairs": [vars(pair) for pair in found.pairs], "notes": list(notes)})
    return found


def leak_records(image_set: ImageSet, leaks: SetLeaks) -> list[dict[str, Any]]:
    """The pairs by name, for the report."""
    items = image_set.items
    return [
        {
            "first": items[pair.first].id,
            "first_split": items[pair.first].split,
            "first_classes": [image_set.classes[label] for label in items[pair.first].labels],
            "second": items[pair.second].id,
            "second_split": items[pair.second].split,
            "second_classes": [image_set.classes[label] for label in items[pair.second].labels],
            "rule": pair.rule,
            "score": round(pair.score, 4),
            "doubtful": pair.is_doubtful,
        }
        for pair in leaks.pairs
    ]


def _same_files(image_set: ImageSet) -> list[Pair]:
    """Each file's later places with its first one, which ties them all together, and with those of other splits."""
    places: dict[str, list[int]] = {}
    for row, item in enumerate(image_set.items):
        places.setdefault(item.sha256, []).append(row)
    found = []
    for rows in places.values():
        splits: dict[str, int] = {}
        for row in rows:
            found += [Pair(first, row, SAME_FILE, 1.0) for first in splits.values()]
            splits.setdefault(image_set.items[row].split, row)
    return found


def _looked_for(image_set: ImageSet) -> tuple[list[int], list[int]]:
    """The items to look at, and those of them that are looked for among all. A file that lies in the set twice is
    looked at in its first place.
    """
    firsts: dict[str, int] = {}
    for row, item in enumerate(image_set.items):
        firsts.setdefault(item.sha256, row)
    rows = sorted(firsts.values())
    is_published = image_set.has("test")
    return rows, [row for row in rows if not is_published or image_set.items[row].split != "train"]


def _turned(image_set: ImageSet, rows: list[int], asked: list[int], *, num_threads: int, log: Log) -> list[Pair]:
    """Pairs found by their keypoints."""
    items = image_set.items
    is_asked = set(asked)
    # What is looked for comes first, so that a pair of two such is looked at once.
    order = [*asked, *(row for row in rows if row not in is_asked)]
    with ThreadPoolExecutor(max(1, num_threads)) as threads:
        pool = Pool(list(threads.map(lambda row: see(read_gray(items[row].read(), window=items[row].window)), order)))
        done = log.progress(
            threads.map(lambda place: pool.copies(pool.seen[place], first=place + 1), range(len(asked))),
            f"turned copies in {image_set.name}",
            total=len(asked),
            unit="images",
        )
        return [
            Pair(min(one, order[copy.other]), max(one, order[copy.other]), TURNED, float(copy.score), copy.is_doubtful)
            for one, copies in zip(asked, done, strict=True)
            for copy in copies
        ]


def _same_pictures(image_set: ImageSet, rows: list[int], asked: list[int], *, log: Log) -> list[Pair]:
    """Pairs of different files."""
    label = f"copies in {image_set.name}"
    shown = log.progress(asked, label, unit="images")
    index = build_index((_sample(image_set.items[row]), [image_set.items[row].read()]) for row in shown)
    owners = [asked[items[0]] for items in map(index.item_numbers, range(len(index.images)))]
    pairs: list[Pair] = []
    for start in range(0, len(rows), _BATCH):
        pairs += _matched(image_set, rows[start : start + _BATCH], index, owners)
    return pairs


def _matched(image_set: ImageSet, rows: list[int], index: EvaluationIndex, owners: list[int]) -> list[Pair]:
    items = [image_set.items[row] for row in rows]
    codes = np.stack([np.frombuffer(dhash256(item.read(), window=item.window), np.uint8) for item in items])

    def read(place: int) -> Shown:
        return items[place].read(), items[place].window

    found = []
    for match in index.by_image(codes, read):
        first, second = sorted((rows[match.row], owners[match.image]))
        if first != second:
            found.append(Pair(first, second, match.rule, float(match.score), match.is_doubtful))
    return found


def _sample(item: Item) -> Sample:
    """The item as the index of evaluation images takes it."""
    media = image(item.place, window=item.window)
    provenance = Provenance(dataset="set", record_id=item.id, licence="")
    return Sample(id=item.id, turns=(user(media, ""),), answer=Answer(kind="open", text=""), provenance=provenance)
