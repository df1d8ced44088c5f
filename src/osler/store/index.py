"""The index beside a shard: one row a sample, with everything needed to select, order and read it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from osler.core.errors import InputError
from osler.core.files import atomic_write

INDEX_VERSION = 1
_META = b"osler.shard"

_TEXT = pa.string()
SCHEMA = pa.schema(
    [
        ("sample_id", _TEXT),
        ("key", _TEXT),
        ("position", pa.int32()),
        ("shard", _TEXT),
        ("json_offset", pa.int64()),
        ("json_size", pa.int64()),
        ("media_offsets", pa.list_(pa.int64())),
        ("media_sizes", pa.list_(pa.int64())),
        ("media_names", pa.list_(_TEXT)),
        ("widths", pa.list_(pa.int32())),
        ("heights", pa.list_(pa.int32())),
        ("bits", pa.list_(pa.int32())),
        ("media_sha256", pa.list_(_TEXT)),
        ("mask_offsets", pa.list_(pa.int64())),
        ("mask_sizes", pa.list_(pa.int64())),
        ("mask_names", pa.list_(_TEXT)),
        ("text_tokens", pa.int32()),
        ("tiles", pa.int32()),
        ("licence", _TEXT),
        ("access", _TEXT),
        ("dataset", _TEXT),
        ("source_url", _TEXT),
        ("task", _TEXT),
        ("answer_kind", _TEXT),
        ("modality", _TEXT),
        ("body_part", _TEXT),
        ("group", _TEXT),
        ("split", _TEXT),
        ("record_sha256", _TEXT),
    ]
)


@dataclass(frozen=True)
class ShardInfo:
    """What one finished shard holds. `sha256` and `num_bytes` are those of the tar file."""

    split: str
    number: int
    num_records: int
    num_samples: int
    num_bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """The stem of the shard's two files."""
        return shard_name(self.split, self.number)


def shard_name(split: str, number: int) -> str:
    """The stem of a shard's tar and index files: `train-00007`."""
    return f"{split}-{number:05d}"


def tar_path(folder: Path, name: str) -> Path:
    """The tar file of shard `name` under an output folder."""
    return folder / "shards" / f"{name}.tar"


def index_path(folder: Path, name: str) -> Path:
    """The index file of shard `name` under an output folder."""
    return folder / "index" / f"{name}.parquet"


def write_index(folder: Path, info: ShardInfo, rows: Sequence[dict[str, Any]]) -> None:
    """Write the index of a shard whose tar is already in place: the index is what marks a shard as finished."""
    meta = json.dumps({"index_version": INDEX_VERSION, **asdict(info)}, sort_keys=True)
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA.with_metadata({_META: meta.encode()}))
    with atomic_write(index_path(folder, info.name)) as file:
        pq.write_table(table, file, compression="zstd", compression_level=3)


def read_index(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The rows of one index file. Raises InputError where it is torn or of another layout."""
    try:
        table = pq.ParquetFile(path).read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, str(error)) from error
    wanted = columns or SCHEMA.names
    if table.column_names != wanted:
        raise InputError(
            f"index {path} has another layout", expected=", ".join(wanted), got=", ".join(table.column_names)
        )
    return table


def read_info(path: Path) -> ShardInfo:
    """What an index file says of its shard, without reading its rows."""
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise _torn(path, str(error)) from error
    if _META not in metadata:
        raise InputError(f"{path} is no index of a shard", expected="a file written by osler curate or osler synth")
    facts = json.loads(metadata[_META])
    if facts.pop("index_version") != INDEX_VERSION:
        raise InputError(f"index {path} is of another version", expected=str(INDEX_VERSION))
    return ShardInfo(**facts)


def _torn(path: Path, why: str) -> InputError:
    return InputError(f"index {path} cannot be read ({why})", fix="Delete it and run the command that made it again.")
