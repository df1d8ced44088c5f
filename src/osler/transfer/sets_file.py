"""What is kept of the sets beside the scores: classes, counts, drops by reason, and copies by name."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from osler.transfer.image_set import ImageSet
from osler.transfer.leaks import SetLeaks, leak_records
from osler.transfer.shared_files import write_shared_text


def set_records(sets: Sequence[ImageSet], leaks: Mapping[str, SetLeaks]) -> list[dict[str, Any]]:
    """A record a set. `splits` counts items by published split, "" where the benchmark cuts the set itself."""
    return [
        {
            "name": each.name,
            "classes": list(each.classes),
            "multi_label": each.is_multi_label,
            "modality": each.modality,
            "licence": each.licence,
            "images": len(each.items),
            "groups": len({item.group or item.id for item in each.items}),
            "splits": dict(sorted(Counter(item.split for item in each.items).items())),
            "per_class": {
                name: sum(number in item.labels for item in each.items) for number, name in enumerate(each.classes)
            },
            "drops": dict(sorted(Counter(drop.reason for drop in each.drops).items())),
            "copies": leak_records(each, leaks[each.name]),
            "notes": [*each.notes, *leaks[each.name].notes],
            "items_sha256": each.sha256,
        }
        for each in sets
    ]


def write_drops(path: Path, sets: Sequence[ImageSet]) -> None:
    """One line a dropped row: set, id and reason."""
    rows = [{"set": each.name, "id": drop.id, "reason": drop.reason} for each in sets for drop in each.drops]
    write_shared_text(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
