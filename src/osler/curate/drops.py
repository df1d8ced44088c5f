"""Drops: every sample that did not get into the shards, by which rule, and why."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.files import atomic_write

DROPS = pa.schema(
    [
        ("id", pa.string()),
        ("rule", pa.string()),
        ("reason", pa.string()),
        ("matched_id", pa.string()),
        ("score", pa.float64()),
    ]
)
"""id: the sample. rule: the operator, or `adapter`, `select_tags`. matched_id: the sample it repeats, "" where the
rule matches nothing. score: how near the match is, null where the rule has none."""

FILE = "drops.parquet"


def drop(id: str, rule: str, reason: str, *, matched_id: str = "", score: float | None = None) -> dict[str, Any]:
    """One row of drops."""
    return {"id": id, "rule": rule, "reason": reason, "matched_id": matched_id, "score": score}


def drops_table(rows: Iterable[dict[str, Any]] = ()) -> pa.Table:
    """Rows as made by `drop` as a table; without rows, an empty one."""
    return pa.Table.from_pylist(list(rows), schema=DROPS)


def write_drops(path: Path, drops: pa.Table, *, metadata: dict[str, str] | None = None) -> None:
    """Write a drops table, atomically; `metadata` is kept in its schema."""
    with atomic_write(path) as file:
        pq.write_table(drops.replace_schema_metadata(metadata), file, compression="zstd", compression_level=3)


def count_drops(drops: pa.Table) -> dict[tuple[str, str], int]:
    """How many samples each rule dropped for each kind of reason: the words before the first colon."""
    counts: dict[tuple[str, str], int] = {}
    for rule, reason in zip(drops["rule"].to_pylist(), drops["reason"].to_pylist(), strict=True):
        kind = (rule, reason.partition(":")[0])
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))
