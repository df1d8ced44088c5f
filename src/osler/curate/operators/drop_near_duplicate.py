"""Drop samples whose images are copies of an earlier sample's and whose words are the same or nearly so.

A copy may be compressed again, smaller, gray, marked or padded. Its words and then its 256-bit hash propose it, its
pixels decide: see `curate/duplicates/near.py`. A copy with words of its own is kept, and so is one in another split.
"""

from functools import partial
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.drops import drop
from osler.curate.duplicates.files import forms_at, hash_files, place_name
from osler.curate.duplicates.near import Entry, near_duplicates
from osler.curate.duplicates.near_words import may_be_near
from osler.curate.operator import Kept, Operator, keep_where


class DropNearDuplicateConfig(Config):
    """num_workers: processes that hash images; 0 and 1 work in the command's own. The result is the same."""

    num_workers: Annotated[int, Field(ge=0)] = 0


def drop_near_duplicate(table: pa.Table, *, num_workers: int) -> Kept:
    """Keep the first of each picture with its words."""
    rows = table.select(["id", "split", "question", "answer", "folder", "media_places"]).to_pylist()
    splits = [row["split"] for row in rows]
    near = [may_be_near([row[part] for row in rows], splits) for part in ("question", "answer")]
    asked = np.flatnonzero(near[0] & near[1]).tolist()  # the images of others are not read at all
    places = [[(rows[n]["folder"] or "", path) for path in rows[n]["media_places"] or ()] for n in asked]
    hashes = hash_files((place for some in places for place in some), "border_hashes", num_workers=num_workers)
    entries = [
        Entry(
            rows[n]["id"],
            tuple(map(place_name, some)),
            tuple(hashes[place] for place in some),
            (rows[n]["question"], rows[n]["answer"]),
            rows[n]["split"],
        )
        for n, some in zip(asked, places, strict=True)
    ]
    drops: list[dict[str, object] | None] = [None] * len(rows)
    for repeat in near_duplicates(entries, forms_at):
        first = entries[repeat.kept].id
        reason = "copy of an image, with the same words"
        drops[asked[repeat.row]] = drop(
            entries[repeat.row].id, "drop_near_duplicate", reason, matched_id=first, score=repeat.likeness
        )
    return keep_where(table, drops)


OPERATOR = Operator(
    config=DropNearDuplicateConfig,
    build=lambda config: partial(drop_near_duplicate, num_workers=config.num_workers),
    level="sample",
    scope="all",
)
