"""Records of a table at level `rewrite` with their samples read, and the table with other samples in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from osler.curate.drops import drops_table
from osler.curate.operator import Kept
from osler.schema.sample import Sample


@dataclass(frozen=True)
class ReadRecord:
    """One row: its samples, and the bytes of its files by path."""

    key: str
    samples: tuple[Sample, ...]
    files: dict[str, bytes | None]


def records_of(table: pa.Table) -> list[ReadRecord]:
    """The rows of `operator.REWRITES`."""
    return [
        ReadRecord(
            row["key"],
            tuple(Sample.model_validate_json(text) for text in row["samples"]),
            dict(zip(row["media_paths"], row["media"], strict=True)),
        )
        for row in table.select(["key", "samples", "media_paths", "media"]).to_pylist()
    ]


def rewritten_table(table: pa.Table, rewritten: Sequence[Sequence[Sample]], drops: list[dict[str, Any]]) -> Kept:
    """`table` with other samples in each row, without the rows that have none left."""
    columns = {
        "samples": [[sample.model_dump_json(exclude_defaults=True) for sample in row] for row in rewritten],
        "sample_ids": [[sample.id for sample in row] for row in rewritten],
    }
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))
    return Kept(table.filter(pa.array([bool(row) for row in rewritten], pa.bool_())), drops_table(drops))
