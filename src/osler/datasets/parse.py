"""Parsers of published files: each takes the root folder and a file's name below it, and gives rows one by one.

None holds a whole file in memory. A line that cannot be read becomes a `BadRow`, and the next one is read.
"""

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.datasets.dataset import BadRow, Row
from osler.datasets.packed import cell_path, is_junk, slice_path

_CHUNK = 1 << 20
_BATCH_ROWS = 1000
_BLANKS = " \t\n\r"
# Long reports and reasoning traces exceed the module's default of 131,072 characters a field.
csv.field_size_limit(1 << 27)


def parse_list(root: Path, name: str) -> Iterator[Row]:
    """The values of a JSON list."""
    path = root / name
    with _text(path) as file:
        values = _JsonValues(file, path)
        values.expect("[", "a list of rows")
        while values.more("]"):
            yield values.take()


def parse_map(root: Path, name: str) -> Iterator[Row]:
    """The values of a JSON mapping; each key becomes its row's field `_id`."""
    path = root / name
    with _text(path) as file:
        values = _JsonValues(file, path)
        values.expect("{", "ids mapped to rows")
        while values.more("}"):
            key = values.take()
            values.expect(":", "a value for each id")
            row = values.take()
            yield {"_id": key, **row} if isinstance(row, dict) else row


def parse_jsonl(root: Path, name: str) -> Iterator[Row | BadRow]:
    """One JSON value a line."""
    with _text(root / name) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                yield BadRow(f"broken line: line {number} is not valid JSON ({error.msg})")


def parse_any_json(root: Path, name: str) -> Iterator[Row | BadRow]:
    """The values of a JSON list, or of JSON lines; which of the two, the first mark of the file tells."""
    with _text(root / name) as file:
        mark = next((line.lstrip()[0] for line in iter(lambda: file.readline(4096), "") if line.strip()), "")
    return parse_list(root, name) if mark == "[" else parse_jsonl(root, name)


@dataclass(frozen=True)
class Separated:
    """A table of text. Without `fields` its first line names them; spaces around a name are taken off."""

    sep: str
    fields: tuple[str, ...] = ()

    def __call__(self, root: Path, name: str) -> Iterator[Row | BadRow]:
        """The rows, quoted values with line breaks included; one with more or fewer values than fields is a bad one."""
        with _text(root / name, newline="") as file:
            lines = csv.reader(file, delimiter=self.sep)
            names = self.fields or [field.strip() for field in next(lines, [])]
            for line in lines:
                if len(line) == len(names):
                    yield dict(zip(names, line, strict=True))
                elif line:
                    found = f"line {lines.line_num} has {len(line)} fields"
                    yield BadRow(f"broken line: {found}, expected {len(names)}")


@dataclass(frozen=True)
class Lines:
    """Lines without a header, each cut at `sep` into exactly `fields`; the last field may hold `sep`."""

    fields: tuple[str, ...]
    sep: str

    def __call__(self, root: Path, name: str) -> Iterator[Row | BadRow]:
        """The rows; empty lines are none."""
        with _text(root / name) as file:
            for number, line in enumerate(file, start=1):
                values = line.rstrip("\n").split(self.sep, len(self.fields) - 1)
                if len(values) == len(self.fields):
                    yield dict(zip(self.fields, values, strict=True))
                elif line.strip():
                    yield BadRow(f"broken line: line {number} has {len(values)} fields, expected {len(self.fields)}")


@dataclass(frozen=True)
class Parquet:
    """A parquet file. Columns named by `images` hold pictures, whose bytes are left where they are."""

    images: tuple[str, ...] = ()

    def __call__(self, root: Path, name: str) -> Iterator[Row]:
        """The rows, a thousand read at a time; a picture is a media path, and `places` tells where it lies."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(existing_file(root / name), pre_buffer=False)
            columns = self._columns([file.schema.column(n).path for n in range(len(file.schema))])
            first = 0
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                rows = batch.to_pylist()
                yield from rows if not self.images else map(self._placed(name), rows, range(first, first + len(rows)))
                first += len(rows)
        except pa.ArrowException as error:
            raise InputError(f"{root / name} is no readable parquet file: {error}") from error

    def _columns(self, leaves: list[str]) -> list[str]:
        """All columns; of the pictures only the names, where they have any."""
        columns = [leaf for leaf in leaves if leaf.partition(".")[0] not in self.images]
        for image in self.images:
            own = [leaf for leaf in leaves if leaf.partition(".")[0] == image]
            columns += [leaf for leaf in own if leaf.endswith(".path")] or own
        return columns

    def _placed(self, name: str) -> Any:
        stem = Path(name).with_suffix("").as_posix()

        def placed(row: Row, number: int) -> Row:
            places: dict[str, str] = {}
            for column in self.images:
                value = row.get(column)
                cells = value if isinstance(value, list) else [value]
                paths: list[str | None] = []
                for item, cell in enumerate(cells):
                    path = f"{stem}/{number:07d}-{column}" + (f"-{item}" if isinstance(value, list) else "")
                    paths.append(path if cell is not None else None)
                    places[path] = cell_path(name, number, column, item=item if isinstance(value, list) else None)
                row[column] = [path for path in paths if path] if isinstance(value, list) else paths[0]
            return {**row, "places": places}

        return placed


@dataclass(frozen=True)
class WebDataset:
    """A tar of samples: members that share a name up to its first dot. `images`: suffixes of a picture."""

    images: tuple[str, ...] = ("jpg", "jpeg", "png", "webp", "tif", "tiff")

    def __call__(self, root: Path, name: str) -> Iterator[Row | BadRow]:
        """Rows `{"__key__", "image", SUFFIX: text or parsed JSON, "places"}`; picture bytes stay in the tar.

        A picture's media path is its name below the tar's, since other tars may have members of the same name.
        """
        import tarfile

        try:
            with tarfile.open(existing_file(root / name), "r:") as tar:
                row: Row = {}
                for member in tar:
                    if not member.isfile() or is_junk(member.name):
                        continue
                    folder, _, base = member.name.rpartition("/")
                    stem, _, suffix = base.partition(".")
                    key = f"{folder}/{stem}" if folder else stem
                    if row and row["__key__"] != key:
                        yield self._whole(row)
                        row = {}
                    row = row or {"__key__": key, "image": None, "places": {}}
                    self._add(row, tar, member, name=name, suffix=suffix.lower())
                if row:
                    yield self._whole(row)
        except tarfile.TarError as error:
            raise InputError(f"{root / name} is no readable tar file: {error}") from error

    def _add(self, row: Row, tar: Any, member: Any, *, name: str, suffix: str) -> None:
        if suffix in self.images:
            path = f"{Path(name).with_suffix('').as_posix()}/{member.name}"
            row["image"] = row["image"] or path
            row["places"][path] = slice_path(name, member.offset_data, member.size)
            return
        data = tar.extractfile(member).read()
        try:
            row[suffix] = json.loads(data) if suffix == "json" else data.decode("utf-8", errors="replace")
        except ValueError:
            row["__broken__"] = f"broken member: {member.name} is not valid JSON"

    @staticmethod
    def _whole(row: Row) -> Row | BadRow:
        return BadRow(row["__broken__"]) if "__broken__" in row else row


@dataclass(frozen=True)
class Npz:
    """Arrays of pictures and of labels in one numpy file; `images` and `labels` name them."""

    images: str
    labels: str

    def __call__(self, root: Path, name: str) -> Iterator[Row]:
        """Rows `{"image", "label": list of int, "places"}`."""
        import zipfile

        import numpy as np

        try:
            with np.load(existing_file(root / name), allow_pickle=False) as arrays:
                found = sorted(arrays.files)
                if self.labels not in found or self.images not in found:
                    raise InputError(
                        f"{root / name} has other arrays",
                        expected=f"{self.images}, {self.labels}",
                        got=", ".join(found),
                    )
                labels = arrays[self.labels]
        except (ValueError, zipfile.BadZipFile) as error:
            raise InputError(f"{root / name} is no readable npz file: {error}") from error
        for number, label in enumerate(labels):
            path = f"{Path(name).stem}/{self.images}-{number:07d}.png"
            yield {
                "image": path,
                "label": [int(value) for value in np.ravel(label)],
                "places": {path: cell_path(name, number, self.images)},
            }


def parse_xlsx(root: Path, name: str) -> Iterator[Row]:
    """The first sheet of an Excel workbook, whose first row names the fields."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise InputError(f"{name} needs the package openpyxl", fix="pip install 'osler[curate]'") from error
    book = load_workbook(existing_file(root / name), read_only=True, data_only=True)
    rows = book.worksheets[0].iter_rows(values_only=True)
    names = [str(value).strip() if value is not None else "" for value in next(rows, ())]
    for values in rows:
        row = {field: value for field, value in zip(names, values, strict=False) if field}
        if any(value is not None for value in row.values()):
            yield row


def _text(path: Path, newline: str | None = None) -> IO[str]:
    """A file open for reading as text, gunzipped where its name ends in .gz."""
    opener = gzip.open if path.suffix == ".gz" else open
    return cast("IO[str]", opener(existing_file(path), "rt", encoding="utf-8-sig", newline=newline))


class _JsonValues:
    """Values of a JSON file one after the other, of which only a part is in memory."""

    def __init__(self, file: IO[str], path: Path) -> None:
        self._file, self._path = file, path
        self._text, self._at, self._count = "", 0, 0
        self._scan = json.JSONDecoder().raw_decode

    def expect(self, mark: str, meaning: str) -> None:
        """Step over `mark`; `meaning` says in the error what it would have begun."""
        if self._next() != mark:
            rest = self._text[self._at :].lstrip(_BLANKS)[:1]
            found = {"[": "list", "{": "dict"}.get(rest, repr(rest))
            raise InputError(f"{self._path} is of another layout", expected=meaning, got=found)
        self._at += 1

    def more(self, end: str) -> bool:
        """Whether a value comes before `end`; a comma before it is stepped over."""
        mark = self._next()
        if mark == "," and self._count:
            self._at += 1
            mark = self._next()
        return mark != end

    def take(self) -> Any:
        """The next value."""
        self._next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._fill():
                    continue
                raise InputError(f"row {self._count} of {self._path} is not valid JSON: {error.msg}") from error
            # A number at the edge of what was read may go on behind it.
            if end == len(self._text) and self._fill():
                continue
            self._at, self._count = end, self._count + 1
            return value

    def _next(self) -> str:
        """The next mark that is no blank, where it stands; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def _fill(self) -> bool:
        # As much again as is held: a value of any length is scanned a few times only.
        more = self._file.read(max(_CHUNK, len(self._text) - self._at))
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)
