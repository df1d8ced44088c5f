"""Drop samples that ask the same about the same pixels, with the same answer, as an earlier sample.

As drop_duplicate_sample, which compares files, but a picture that was saved again without loss counts as the same.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.drops import drop
from osler.curate.duplicates.files import hash_files
from osler.curate.duplicates.words import words
from osler.curate.operator import Kept, Operator, keep_where


class DropDuplicatePixelsConfig(Config):
    """num_workers: processes that decode images; 0 and 1 work in the command's own. The result is the same."""

    num_workers: Annotated[int, Field(ge=0)] = 0


def drop_duplicate_pixels(table: pa.Table, *, num_workers: int) -> Kept:
    """Keep the first sample of each picture, question and answer; a sample with an unreadable image is kept."""
    rows = table.select(["id", "question", "answer", "folder", "media_places"]).to_pylist()
    places = [[(row["folder"] or "", path) for path in row["media_places"] or ()] for row in rows]
    hashes = hash_files((place for some in places for place in some), "pixel_sha256", num_workers=num_workers)
    first: dict[tuple[object, ...], str] = {}
    drops: list[dict[str, object] | None] = []
    for row, some in zip(rows, places, strict=True):
        codes = tuple(hashes[place] for place in some)
        if not codes or not all(codes):
            drops.append(None)
            continue
        owner = first.setdefault((tuple(words(row["question"])), tuple(words(row["answer"])), codes), row["id"])
        reason = "same pixels, question and answer"
        repeated = drop(row["id"], "drop_duplicate_pixels", reason, matched_id=owner, score=1.0)
        drops.append(None if owner is row["id"] else repeated)
    return keep_where(table, drops)


OPERATOR = Operator(
    config=DropDuplicatePixelsConfig,
    build=lambda config: partial(drop_duplicate_pixels, num_workers=config.num_workers),
    level="sample",
    scope="all",
)
