"""Store: a folder of shards, selected through its index and read by offset; no tar is ever scanned."""

import os
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_folder
from osler.schema.sample import Sample
from osler.store.index import ShardInfo, index_path, read_index, read_info, tar_path
from osler.store.record import StoredRecord, StoredSamples

_SPLITS = ("train", "validation", "test")
_MAX_OPEN = 128


class Store:
    """The samples under one output folder.

    Reading goes through `os.pread`, which keeps no position, so a store may be shared by threads and used
    after a fork; pickling one drops its open files.

    Raises:
        InputError: on opening, where a shard lacks its index, an index its tar, or a tar is cut short.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = existing_folder(Path(folder))
        self._infos = _check_shards(self.folder)
        self._tables: dict[str, pa.Table] = {}
        self._open: OrderedDict[str, _OpenTar] = OrderedDict()

    def splits(self) -> list[str]:
        """The splits that have a shard: train, validation, test in this order, then any other."""
        names = {info.split for info in self._infos}
        return [s for s in _SPLITS if s in names] + sorted(names.difference(_SPLITS))

    def shards(self, split: str | None = None) -> list[ShardInfo]:
        """The shards of a split, or all, in order."""
        return [info for info in self._infos if split in (None, info.split)]

    def table(
        self,
        split: str,
        *,
        tasks: Collection[str] | None = None,
        licences: Collection[str] | None = None,
        datasets: Collection[str] | None = None,
    ) -> pa.Table:
        """The index rows of a split, one a sample, in stored order; columns are those of `index.SCHEMA`.

        Each of `tasks`, `licences`, `datasets` keeps the rows with one of its values; None keeps all.

        Raises:
            InputError: unknown split, a value that no row has, or one sample id in two shards.
        """
        table = self._split_table(split)
        for column, values in (("task", tasks), ("licence", licences), ("dataset", datasets)):
            if values is not None:
                table = _select(table, column, values, split)
        return table

    def rows(self, table: pa.Table, numbers: Sequence[int] | np.ndarray) -> list[dict[str, Any]]:
        """The rows of `table` at `numbers`, as the dicts that `sample` and `media` take."""
        return table.take(pa.array(numbers, pa.int64())).to_pylist()

    def sample(self, row: Mapping[str, Any]) -> Sample:
        """The sample of an index row."""
        return self.record_samples(row)[row["position"]]

    def samples(self, rows: Iterable[Mapping[str, Any]]) -> list[Sample]:
        """The samples of index rows, in their order; a record's JSON is read once for neighbouring rows."""
        out: list[Sample] = []
        last: tuple[str, str] | None = None
        held: tuple[Sample, ...] = ()
        for row in rows:
            if (row["shard"], row["key"]) != last:
                last, held = (row["shard"], row["key"]), self.record_samples(row)
            out.append(held[row["position"]])
        return out

    def record_samples(self, row: Mapping[str, Any]) -> tuple[Sample, ...]:
        """All samples of the record to which an index row belongs."""
        data = self.read_bytes(row["shard"], row["json_offset"], row["json_size"])
        try:
            return StoredSamples.model_validate_json(data).samples
        except ValidationError as error:
            raise InputError(
                f"record {row['key']!r} of shard {row['shard']!r} does not hold samples: {error}"
            ) from error

    def media(self, row: Mapping[str, Any]) -> tuple[bytes, ...]:
        """The bytes of the images of an index row, in order."""
        places = zip(row["media_offsets"], row["media_sizes"], strict=True)
        return tuple(self.read_bytes(row["shard"], offset, size) for offset, size in places)

    def masks(self, row: Mapping[str, Any]) -> tuple[bytes | None, ...]:
        """The bytes of the mask of each image of an index row; None for an image without one."""
        places = zip(row["mask_names"], row["mask_offsets"], row["mask_sizes"], strict=True)
        return tuple(self.read_bytes(row["shard"], offset, size) if name else None for name, offset, size in places)

    def records(self, split: str) -> Iterator[StoredRecord]:
        """The records of a split with the bytes of their files, in stored order."""
        table = self._split_table(split)
        for row in self.rows(table, record_starts(table)):
            files = dict(zip(row["media_names"], self.media(row), strict=True))
            masks = zip(row["mask_names"], self.masks(row), strict=True)
            files |= {name: data for name, data in masks if data is not None}
            yield StoredRecord(row["key"], self.record_samples(row), files)

    def read_bytes(self, shard: str, offset: int, size: int) -> bytes:
        """`size` bytes at `offset` of a shard's tar. Raises InputError where the tar ends before."""
        data = os.pread(self._file(shard).descriptor, size, offset)
        if len(data) != size:
            raise InputError(f"shard {tar_path(self.folder, shard)} ends before byte {offset + size}", fix=_AGAIN)
        return data

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": OrderedDict()}

    def _file(self, shard: str) -> "_OpenTar":
        file = self._open.get(shard)
        if file is None:
            try:
                file = _OpenTar(tar_path(self.folder, shard))
            except OSError as error:
                raise InputError(f"cannot open shard {tar_path(self.folder, shard)}: {error.strerror}") from error
            self._open[shard] = file
            if len(self._open) > _MAX_OPEN:
                # Dropping the reference closes it, and not before another thread has finished reading from it.
                self._open.popitem(last=False)
        return file

    def _split_table(self, split: str) -> pa.Table:
        if split not in self.splits():
            raise InputError(
                f"no split {split!r} in {self.folder}",
                expected=f"one of {', '.join(self.splits())}",
                fix=did_you_mean(split, self.splits()),
            )
        if split not in self._tables:
            parts = [read_index(index_path(self.folder, info.name)) for info in self.shards(split)]
            # In one piece: taking a few rows out of many chunks costs milliseconds, and training does it all the time.
            table = pa.concat_tables(parts).replace_schema_metadata(None).combine_chunks()
            _check_unique(table)
            self._tables[split] = table
        return self._tables[split]


class _OpenTar:
    """A file open for reading, closed when nobody holds it any more."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


_AGAIN = "Run the command that made it again."


def record_starts(table: pa.Table) -> np.ndarray:
    """The number of the first row of each record of an index table in stored order. Shape [records], int64."""
    if table.num_rows == 0:
        return np.zeros(0, dtype=np.int64)
    codes = np.stack([_codes(table, "shard"), _codes(table, "key")])
    return np.flatnonzero(np.concatenate([[True], (codes[:, 1:] != codes[:, :-1]).any(axis=0)]))


def _codes(table: pa.Table, column: str) -> np.ndarray:
    return table[column].combine_chunks().dictionary_encode().indices.to_numpy()


def _check_shards(folder: Path) -> list[ShardInfo]:
    """The shards of a folder after every tar was found with its index and of the size the index states."""
    tars = {path.stem for path in (folder / "shards").glob("*.tar")}
    indexes = {path.stem for path in (folder / "index").glob("*.parquet")}
    if not tars | indexes:
        raise InputError(f"no shards in {folder}", expected="shards/*.tar and index/*.parquet", fix="Run osler curate.")
    for name in sorted(tars - indexes):
        raise InputError(
            f"shard {tar_path(folder, name)} has no index", expected=str(index_path(folder, name)), fix=_AGAIN
        )
    infos = []
    for name in sorted(indexes):
        info = read_info(index_path(folder, name))
        if name not in tars:
            raise InputError(f"index {index_path(folder, name)} has no shard", expected=str(tar_path(folder, name)))
        size = tar_path(folder, name).stat().st_size
        if size != info.num_bytes:
            raise InputError(
                f"shard {tar_path(folder, name)} is torn", expected=f"{info.num_bytes} bytes", got=f"{size}", fix=_AGAIN
            )
        infos.append(info)
    return infos


def _check_unique(table: pa.Table) -> None:
    for column, noun in (("sample_id", "samples have the id"), ("key", "records have the key")):
        part = table if column == "sample_id" else table.take(pa.array(record_starts(table)))
        counts = part[column].value_counts()
        twice = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
        if len(twice):
            value = twice[0]["values"].as_py()
            owners = part.filter(pc.equal(part[column], value)).select(["shard", "key"]).to_pylist()
            places = " and ".join(f"record {o['key']!r} of shard {o['shard']}" for o in owners[:2])
            raise InputError(f"two {noun} {value!r}: {places}")


def _select(table: pa.Table, column: str, values: Collection[str], split: str) -> pa.Table:
    known = sorted(v for v in pc.unique(table[column]).to_pylist())
    for value in values:
        if value not in known:
            raise InputError(
                f"no sample of split {split!r} has {column} {value!r}",
                expected=f"one of {', '.join(known)}",
                fix=did_you_mean(value, known),
            )
    return table.filter(pc.is_in(table[column], pa.array(sorted(values), pa.string())))
