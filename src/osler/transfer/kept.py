"""Kept tables: what an encoder said of each item in a section of the recipe, so that scores can be made again.

One Parquet file for each section, set or store, and encoder: `sections/SECTION/NAME/ENCODER.parquet`. Its metadata says
what it depends on; where that is the same, a later start does not measure again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_file

FOLDER = "sections"
_KEY = b"osler"


@dataclass(frozen=True, eq=False)
class Kept:
    """One table.

    name: of the set or the store. key: the hash of everything that the columns depend on. protocol_sha256: under which
    it was measured. ids_sha256: of the items asked about. about: what else is said of it in results.
    """

    section: str
    name: str
    encoder: str
    key: str
    protocol_sha256: str
    ids_sha256: str
    columns: dict[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)


def table_path(out: Path, section: str, name: str, *, encoder: str) -> Path:
    """Where a table lies."""
    return out / FOLDER / section / name / f"{encoder}.parquet"


def write_kept(out: Path, kept: Kept) -> None:
    """Write a table, whole or not at all."""
    about = {
        name: getattr(kept, name) for name in ("section", "name", "encoder", "key", "protocol_sha256", "ids_sha256")
    }
    schema_about = {_KEY: json.dumps({**about, "about": dict(kept.about)}, sort_keys=True).encode()}
    table = pa.table(kept.columns).replace_schema_metadata(schema_about)
    with atomic_write(table_path(out, kept.section, kept.name, encoder=kept.encoder)) as file:
        pq.write_table(table, file, compression="zstd", compression_level=3)


def read_kept(path: Path) -> Kept:
    """A table that was kept. Raises InputError where the file is none."""
    try:
        table = pq.read_table(existing_file(path), partitioning=None)
        about = json.loads((table.schema.metadata or {})[_KEY])
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path} is no table of osler transfer: {error}", fix="Remove it and run again.") from error
    return Kept(**about, columns=table.to_pydict())


def is_kept(out: Path, section: str, name: str, *, encoder: str, key: str) -> bool:
    """Whether the table is there and depends on the same."""
    path = table_path(out, section, name, encoder=encoder)
    return path.is_file() and read_kept(path).key == key
