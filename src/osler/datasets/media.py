"""Media of a dataset by path: files below its folder, or parts of larger files."""

from collections.abc import Iterator
from pathlib import Path

from osler.core.errors import InputError
from osler.datasets.dataset import Row
from osler.datasets.packed import SEP, read_packed, slice_path
from osler.store.reader import Store, record_starts

_ROWS_AHEAD = 512


def read_media(folder: Path, path: str) -> bytes | None:
    """The bytes at `path` below `folder`, a file's or a place inside one; None where there is no such file.

    Raises:
        InputError: the path leads out of the folder, or its file does not hold the place.
    """
    name, *place = path.split(SEP)
    file = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"media path {name!r} leads out of {folder}", expected="a path below the dataset's folder")
    try:
        return read_packed(file, place) if place else file.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


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
