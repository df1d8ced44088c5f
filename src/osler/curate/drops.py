"""Drops: every sample that did not get into the shards, by which rule, and why."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
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
_GROUP_ROWS = 65_536
_HELD_ROWS = 4096

Tally = Counter[tuple[str, str, str, str]]
"""How many drops there are by dataset, published split, rule and kind of reason: the words before the first colon."""


class DropsWriter:
    """A file of drops that grows while they come, so that millions of them take no memory.

    The same drops in the same order give the same bytes, in whatever pieces they come. The file is whole when the
    block ends well; it is no atomic write, so it belongs into a folder that nobody else reads.
    """

    def __init__(self, path: Path) -> None:
        self.tally = Tally()
        self._file = pq.ParquetWriter(path, DROPS, compression="zstd", compression_level=3)
        self._rows: list[dict[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._num_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write(0)
        self._file.close()

    def add(self, row: dict[str, Any]) -> None:
        """Add one row, made by `drop`."""
        self._rows.append(row)
        if len(self._rows) == _HELD_ROWS:
            self._take_rows()

    def add_table(self, drops: pa.Table) -> None:
        """Add a table of drops."""
        self._take_rows()
        self._hold(drops)

    def _take_rows(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._hold(drops_table(rows))

    def _hold(self, drops: pa.Table) -> None:
        if drops.num_rows == 0:
            return
        self.tally += tally_drops(drops)
        self._tables.append(drops.replace_schema_metadata(None))
        self._num_rows += drops.num_rows
        if self._num_rows >= _GROUP_ROWS:
            self._write(_GROUP_ROWS)

    def _write(self, group_rows: int) -> None:
        """Write whole groups of so many rows; 0 writes all that there is."""
        self._take_rows()
        table = pa.concat_tables([drops_table(), *self._tables])
        num_whole = table.num_rows - table.num_rows % group_rows if group_rows else table.num_rows
        self._file.write_table(table.slice(0, num_whole).combine_chunks(), row_group_size=_GROUP_ROWS)
        self._tables, self._num_rows = [table.slice(num_whole)], table.num_rows - num_whole


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


def merge_drops(path: Path, parts: Iterable[Path]) -> Tally:
    """Write the drops of several files into one, group by group; returns how many there are of each kind."""
    with DropsWriter(path) as merged:
        for part in parts:
            with pq.ParquetFile(part) as file:
                for number in range(file.num_row_groups):
                    merged.add_table(file.read_row_group(number))
    return merged.tally


def tally_drops(drops: pa.Table) -> Tally:
    """How many drops there are of each kind. An id begins with the set and its published split."""
    ids = pc.extract_regex(drops["id"], r"^(?P<name>[^/]+)/(?P<split>[^/]+)/")
    kinds = pc.extract_regex(drops["reason"], r"^(?P<kind>[^:]*)")
    columns = {key: pc.fill_null(pc.struct_field(ids, key), "") for key in ("name", "split")}
    table = pa.table({**columns, "rule": drops["rule"], "kind": pc.struct_field(kinds, "kind")})
    counted = table.group_by(table.column_names).aggregate([([], "count_all")]).to_pylist()
    return Tally({(row["name"], row["split"], row["rule"], row["kind"]): row["count_all"] for row in counted})


def count_drops(drops: Tally) -> dict[tuple[str, str], int]:
    """How many samples each rule dropped for each kind of reason."""
    counts: dict[tuple[str, str], int] = {}
    for (_, _, rule, kind), count in drops.items():
        counts[rule, kind] = counts.get((rule, kind), 0) + count
    return dict(sorted(counts.items()))
