"""Readers of the layouts in which datasets are published: each takes the root folder and gives rows.

A file is named by a string in which `{split}` stands for the split, or by a mapping from split to name. A
string without `{split}` is one file for all splits, whose rows say theirs in the field `split`.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.core.files import read_jsonl as _read_jsonl
from osler.datasets.dataset import Row, RowReader

Files = str | Mapping[str, str]
Parse = Callable[[Path], Iterable[Row]]
Change = Callable[[Path, str, Iterator[Row]], Iterator[Row]]
"""Root, split and rows to rows: selects or completes what the files hold."""


@dataclass(frozen=True)
class FileRows:
    """Rows of one file a split. `fields` must be in every row; others may be there too."""

    files: Files
    parse: Parse
    fields: tuple[str, ...] = ()
    change: Change | None = None

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The rows of `split`, their fields checked."""
        path = self.paths(root, split)[0]
        rows = self._checked(path, self.parse(path))
        if isinstance(self.files, str) and "{split}" not in self.files and self.change is None:
            rows = _of_split(path, rows, split)
        return rows if self.change is None else self.change(root, split, rows)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The one file of `split`."""
        name = self.files.replace("{split}", split) if isinstance(self.files, str) else self.files.get(split)
        if name is None:
            raise InputError(f"no file is known for split {split!r} under {root}")
        return [Path(root) / name]

    def _checked(self, path: Path, rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            if not isinstance(row, dict) or not all(field in row for field in self.fields):
                found = ", ".join(sorted(map(str, row))) if isinstance(row, dict) else type(row).__name__
                raise InputError(f"row {number} of {path} has other fields", expected=", ".join(self.fields), got=found)
            yield row


@dataclass(frozen=True)
class FirstOf:
    """The first of several layouts whose files are there."""

    readers: tuple[RowReader, ...]

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The rows of `split` in the layout at hand."""
        return self._present(root, split)(root, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The files of `split` in the layout at hand; of the first layout, where none is."""
        return self._present(root, split).paths(root, split)

    def _present(self, root: Path, split: str) -> RowReader:
        here = (r for r in self.readers if all(path.exists() for path in r.paths(root, split)))
        return next(here, self.readers[0])


@dataclass(frozen=True)
class ShardRows:
    """Rows of an Osler store below the root, one a sample, as `{"key", "sample", "places"}`.

    `places` maps the samples' media and mask paths to slices of the tar files, which `sliced.read_media` takes.
    """

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The samples of `split`, in stored order."""
        from osler.datasets.sliced import store_rows

        return store_rows(root, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The two folders of the store: which of their files belong to a split is told by their names."""
        return [root / "shards", root / "index"]


def json_list(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """A JSON file that holds a list of rows."""
    return FileRows(files, _parse_list, fields, change)


def json_map(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """A JSON file that holds a mapping from an id to a row; the id becomes the row's field `_id`."""
    return FileRows(files, _parse_map, ("_id", *fields), change)


def jsonl(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """A file with one JSON row a line, whatever it is called."""
    return FileRows(files, _read_jsonl, fields, change)


def csv_table(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """A comma-separated file whose first line names the fields; spaces around a name are taken off."""
    return FileRows(files, _parse_csv, fields, change)


def tsv_table(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """A tab-separated file whose first line names the fields."""
    return FileRows(files, _parse_tsv, fields, change)


def text_lines(files: Files, *, fields: tuple[str, ...], sep: str, change: Change | None = None) -> FileRows:
    """A text file without a header, each line cut at `sep` into exactly `fields`; the last field may hold `sep`."""
    return FileRows(files, _Lines(fields, sep), fields, change)


def parquet(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """A parquet file; rows are read a thousand at a time."""
    return FileRows(files, _parse_parquet, fields, change)


def resolve_root(root: str, *, offline: bool) -> Path:
    """The folder that `root` names: a local folder, or `hub:OWNER/NAME` for a dataset of the Hugging Face hub.

    Raises:
        InputError: a hub id while offline, or a hub that cannot be reached.
    """
    hub_id = root.removeprefix("hub:")
    if hub_id == root:
        return Path(root)
    if offline:
        raise InputError(
            f"dataset {root!r} is on the hub and HF_HUB_OFFLINE is set", fix="Copy it here and give its folder as root."
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise InputError(f"dataset {root!r} needs the package huggingface_hub", fix="pip install datasets") from error
    try:
        return Path(snapshot_download(hub_id, repo_type="dataset"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot fetch {root!r}: {error}", fix="Copy it here and give its folder as root.") from error


def _of_split(path: Path, rows: Iterator[Row], split: str) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if "split" not in row:
            raise InputError(f"row {number} of {path} does not say its split", expected="a field 'split'")
        if row["split"] == split:
            yield row


def _parse_list(path: Path) -> Iterator[Row]:
    value = read_json(path)
    if not isinstance(value, list):
        raise InputError(f"{path} is of another layout", expected="a list of rows", got=type(value).__name__)
    yield from value


def _parse_map(path: Path) -> Iterator[Row]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise InputError(f"{path} is of another layout", expected="ids mapped to rows", got=type(value).__name__)
    for key, row in value.items():
        yield {"_id": key, **row} if isinstance(row, dict) else row


def _parse_csv(path: Path) -> Iterator[Row]:
    yield from _separated(path, ",")


def _parse_tsv(path: Path) -> Iterator[Row]:
    yield from _separated(path, "\t")


def _separated(path: Path, sep: str) -> Iterator[Row]:
    with existing_file(path).open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=sep)
        names = [name.strip() for name in next(lines, [])]
        for line in lines:
            if len(line) != len(names):
                raise InputError(
                    f"line {lines.line_num} of {path} has {len(line)} fields",
                    expected=f"{len(names)}: {', '.join(names)}",
                )
            yield dict(zip(names, line, strict=True))


@dataclass(frozen=True)
class _Lines:
    fields: tuple[str, ...]
    sep: str

    def __call__(self, path: Path) -> Iterator[Row]:
        for number, line in enumerate(existing_file(path).read_text(encoding="utf-8").splitlines(), start=1):
            values = line.split(self.sep, len(self.fields) - 1)
            if not line.strip():
                continue
            if len(values) != len(self.fields):
                raise InputError(
                    f"line {number} of {path} has {len(values)} fields", expected=self.sep.join(self.fields)
                )
            yield dict(zip(self.fields, values, strict=True))


def _parse_parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(existing_file(path)).iter_batches(1000):
            yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise InputError(f"{path} is no readable parquet file: {error}") from error
