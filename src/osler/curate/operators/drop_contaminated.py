"""Drop samples that an evaluation holds: its article or group, a copy of its image, or its words.

`index` is the folder `evaluation` that `osler curate check` wrote. A record is dropped whole where one of its images is
a copy; a sample alone where its source or its words are an item's. Matches in doubt stay unless `doubtful: drop`.
"""

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from osler.core.config import Config
from osler.core.errors import InputError
from osler.curate.check_matches import train_words
from osler.curate.drops import drop, drops_table
from osler.curate.duplicates.evaluation_index import EvaluationIndex, load_index
from osler.curate.duplicates.hamming import stacked
from osler.curate.operator import Kept, Operator
from osler.media.hashing import dhash256
from osler.schema.media import Window
from osler.schema.sample import Sample

_RULE = "drop_contaminated"


class DropContaminatedConfig(Config):
    """index: what to compare with; empty compares with nothing. doubtful: what becomes of matches in doubt."""

    index: str = ""
    doubtful: Literal["keep", "drop"] = "keep"


def drop_contaminated(table: pa.Table, *, index: str, drop_doubtful: bool) -> Kept:
    """Keep what no evaluation item shares."""
    if not index or not table.num_rows:
        return Kept(table, drops_table())
    known = _index(index)
    rows, drops = [], []
    for row in table.to_pylist():
        reason = _image_match(row, known, drop_doubtful)
        if reason:
            drops.append(drop(row["key"], _RULE, **reason))
            continue
        kept = []
        for text in row["samples"]:
            sample = Sample.model_validate_json(text)
            found = _sample_match(sample, known)
            if found:
                drops.append(drop(sample.id, _RULE, **found))
            else:
                kept.append((sample.id, text))
        if kept:
            rows.append({**row, "sample_ids": [id for id, _ in kept], "samples": [text for _, text in kept]})
    return Kept(pa.Table.from_pylist(rows, schema=table.schema), drops_table(drops))


@lru_cache(maxsize=4)
def _index(folder: str) -> EvaluationIndex:
    return load_index(Path(folder))


def _sample_match(sample: Sample, index: EvaluationIndex) -> dict[str, Any] | None:
    for item, kind, key in index.by_source(sample):
        return {"reason": f"evaluation source: same {kind} {key}", "matched_id": index.items[item].id, "score": 1.0}
    for match in index.by_words(train_words(sample)):
        reason = f"evaluation words: {match.rule}"
        return {"reason": reason, "matched_id": index.items[match.owner].id, "score": match.score}
    return None


def _image_match(row: dict[str, Any], index: EvaluationIndex, drop_doubtful: bool) -> dict[str, Any] | None:
    shown: list[tuple[bytes, Window | None]] = []
    hashes: list[bytes] = []
    windows = _windows(row["samples"])
    for path, data in zip(row["media_paths"], row["media"], strict=True):
        if data is None or path not in windows:
            continue
        try:
            hashes.append(dhash256(data, window=windows[path]))
            shown.append((data, windows[path]))
        except InputError:
            continue  # drop_broken_image counts it
    for match in index.by_image(stacked(hashes), lambda number: shown[number]):
        if drop_doubtful or not match.is_doubtful:
            items = index.item_numbers(match.image)
            name = index.items[items[0]].id if items else ""
            return {"reason": f"evaluation image: {match.rule}", "matched_id": name, "score": match.score}
    return None


def _windows(samples: list[str]) -> dict[str, Window | None]:
    """The images that samples show, masks left out, each with its window."""
    refs = [ref for text in samples for ref in Sample.model_validate_json(text).media]
    return {ref.path: ref.window for ref in refs if ref.kind == "image"}


OPERATOR = Operator(
    config=DropContaminatedConfig,
    build=lambda config: partial(drop_contaminated, index=config.index, drop_doubtful=config.doubtful == "drop"),
    level="rewrite",
    inputs=lambda config: [Path(config.index)] if config.index else [],
)
