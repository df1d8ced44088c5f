"""Media inside larger files: bytes of a tar, cells of a parquet table, rows of a numpy array, members of a zip.

A place is written `FILE::OFFSET::SIZE`, `FILE.parquet::ROW::COLUMN[::ITEM]`, `FILE.npz::ROW::ARRAY` or
`FILE.zip::MEMBER`, with the file's path below the dataset's folder.
"""

import io
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from osler.core.errors import InputError

SEP = "::"
_JUNK_NAMES = frozenset({"Thumbs.db", ".DS_Store", "desktop.ini"})


def slice_path(file: str, offset: int, size: int) -> str:
    """The place of `size` bytes at `offset` of `file`: `shards/train-00000.tar::512::10234`."""
    return f"{file}{SEP}{offset}{SEP}{size}"


def cell_path(file: str, row: int, column: str, *, item: int | None = None) -> str:
    """The place of a cell of a parquet file, or of its `item` where it holds a list; or of row `row` of an array."""
    return f"{file}{SEP}{row}{SEP}{column}" + ("" if item is None else f"{SEP}{item}")


def is_junk(name: str) -> bool:
    """Whether a file or member is what an operating system left in a folder or an archive."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1] in _JUNK_NAMES or parts[-1].startswith("._")


def archive_finder(root: Path, archives: Sequence[str], media_folder: str) -> Callable[[str], str | None]:
    """A function from a media path to its place in the zip files `archives` below `root`; None where it is in none.

    A member may lie deeper than the path says, as long as only one ends like it.
    """
    import zipfile

    places: dict[str, str | None] = {}
    for name in archives:
        if not (root / name).is_file():
            continue
        try:
            with zipfile.ZipFile(root / name) as archive:
                members = [info.filename for info in archive.infolist() if not info.is_dir()]
        except zipfile.BadZipFile as error:
            raise InputError(f"{root / name} is no readable zip file: {error}") from error
        for member in members:
            if is_junk(member):
                continue
            parts = member.split("/")
            for start in range(len(parts)):
                ending = "/".join(parts[start:])
                places[ending] = None if ending in places else f"{name}{SEP}{member}"
    return lambda path: places.get(f"{media_folder}/{path}") or places.get(path)


def read_packed(file: Path, place: Sequence[str]) -> bytes | None:
    """The bytes at `place` of `file`; None where a cell is empty.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the place is not in the file.
    """
    if file.suffix == ".zip":
        return _member(file, place[0])
    if file.suffix == ".parquet":
        return _cell(file, place)
    if file.suffix == ".npz":
        return _array_row(file, int(place[0]), place[1])
    offset, size = map(int, place)
    with file.open("rb", buffering=0) as opened:
        data = os.pread(opened.fileno(), size, offset)
    if len(data) != size:
        raise InputError(f"{file} ends before byte {offset + size}")
    return data


def _member(file: Path, member: str) -> bytes:
    # A file's position is shared with forked processes, so each process opens its own.
    archive = _open_zip(file, os.getpid())
    try:
        data: bytes = archive.read(member)
    except KeyError as error:
        raise InputError(f"{file} has no member {member!r}") from error
    return data


@lru_cache(maxsize=4)
def _open_zip(file: Path, process: int) -> Any:
    import zipfile

    return zipfile.ZipFile(file)


def _cell(file: Path, place: Sequence[str]) -> bytes | None:
    row, column, *item = place
    number = int(row)
    for group, first, count in _row_groups(file):
        if first <= number < first + count:
            value = _column(file, group, column)[number - first].as_py()
            break
    else:
        raise InputError(f"{file} has no row {row}")
    if item and value is not None:
        value = value[int(item[0])]
    found = value.get("bytes") if isinstance(value, dict) else value
    return bytes(found) if found is not None else None


@lru_cache(maxsize=64)
def _row_groups(file: Path) -> tuple[tuple[int, int, int], ...]:
    """Number, first row and rows of each row group."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(file)
    counts = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    return tuple((n, sum(counts[:n]), count) for n, count in enumerate(counts))


@lru_cache(maxsize=8)
def _column(file: Path, group: int, column: str) -> Any:
    """One column of one row group: a shard reads its rows in order, so the next cell is in it, too."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(file).read_row_group(group, columns=[column])[column]


def _array_row(file: Path, row: int, array: str) -> bytes:
    from PIL import Image

    picture = Image.fromarray(_array(file, array)[row])
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@lru_cache(maxsize=1)
def _array(file: Path, array: str) -> Any:
    import numpy as np

    with np.load(file, allow_pickle=False) as arrays:
        return arrays[array]
