"""What two splits of a store share: image files, and groups that a split must not cut."""

from itertools import combinations
from pathlib import Path

import pyarrow.compute as pc

from osler.core.files import write_json
from osler.store.reader import Store

FILE = "overlap.json"


def split_overlap(store: Store) -> dict[str, dict[str, int]]:
    """For each pair of splits (`train|test`): the number of image SHA-256 and of groups that stand in both."""
    images: dict[str, set[str]] = {}
    groups: dict[str, set[str]] = {}
    for split in store.splits():
        table = store.table(split)
        images[split] = set(pc.unique(pc.list_flatten(table["media_sha256"])).to_pylist())
        groups[split] = set(pc.unique(table["group"]).to_pylist()) - {""}
    return {
        f"{first}|{second}": {
            "num_images": len(images[first] & images[second]),
            "num_groups": len(groups[first] & groups[second]),
        }
        for first, second in combinations(store.splits(), 2)
    }


def write_overlap(out: Path, overlap: dict[str, dict[str, int]]) -> None:
    """Write `overlap.json`: pairs of splits mapped to the number of image SHA-256 they share."""
    write_json(out / FILE, {pair: counts["num_images"] for pair, counts in overlap.items()})
