"""Media of a dataset: files below its folder, or slices of larger files such as the members of a tar."""

import os
from collections.abc import Iterator
from pathlib import Path

from osler.core.errors import InputError
from osler.datasets.dataset import Row
from osler.store.reader import Store, record_starts

_SEP = "::"
_ROWS_AHEAD = 512


def slice_path(file: str, offset: int, size: int) -> str:
    """The path of `size` bytes at `offset` of `file`: `shards/train-00000.tar::512::10234`."""
    return f"{file}{_SEP}{offset}{_SEP}{size}"


def read_media(folder: Path, path: str) -> bytes | None:
    """The bytes at `path` below `folder`; None where there is no such file.

    Raises:
        InputError: the path leads out of the folder, or a slice reaches beyond the end of its file.
    """
    name, *place = path.split(_SEP)
    file = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"media path {name!r} leads out of {folder}", expected="a path below the dataset's folder")
    try:
        with file.open("rb", buffering=0) as opened:
            if not place:
                return opened.read()
            offset, size = map(int, place)
            data = os.pread(opened.fileno(), size, offset)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    if len(data) != size:
        raise InputError(f"{file} ends before byte {offset + size}")
    return data


def store_rows(root: Path, split: str) -> Iterator[Row]:
    """The samples of a store as rows `{"key", "sample", "places"}`: places maps a media path to a slice of a tar."""
    store = Store(root)
    table = store.table(split)
    starts = record_starts(table)
    rows = (row for n in range(0, len(starts), _ROWS_AHEAD) for row in store.rows(table, starts[n : n + _ROWS_AHEAD]))
    for row in rows:
        tar = f"shards/{row['shard']}.tar"
        places = {
            name: slice_path(tar, offset, size)
            for kind in ("media", "mask")
            for name, offset, size in zip(*(row[f"{kind}_{c}"] for c in ("names", "offsets", "sizes")), strict=True)
            if name
        }
        for sample in store.record_samples(row):
            yield {"key": row["key"], "sample": sample, "places": places}
