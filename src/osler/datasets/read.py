"""Readers of the layouts in which datasets are published: each takes the root folder and gives rows.

A file is named by a string in which `{split}` stands for the split, or by a mapping from split to name. A
string without `{split}` is one file for all splits, whose rows say theirs in the field `split`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.datasets import parse
from osler.datasets.dataset import BadRow, Row, RowReader
from osler.datasets.packed import is_junk

Files = str | Mapping[str, str | tuple[str, ...]]
Parse = Callable[[Path, str], Iterable[Row | BadRow]]
"""Root and a file's name below it to rows."""
Change = Callable[[Path, str, Iterator[Row]], Iterator[Row]]
"""Root, split and rows to rows: selects or completes what the files hold. It sees good rows only."""

_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".dcm"})


@dataclass(frozen=True)
class FileRows:
    """Rows of the files of a split, one file after the other.

    fields: must be in every row; others may be there too.
    file_field: adds the file's path below the root to each row, under this name.
    """

    files: Files
    parse: Parse
    fields: tuple[str, ...] = ()
    change: Change | None = None
    file_field: str = ""

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The rows of `split`, their fields checked."""
        rows = self._rows(root, split)
        if self.change is not None:
            return _changed(self.change, root, split, rows)
        one_for_all = isinstance(self.files, str) and "{split}" not in self.files
        return _of_split(root / str(self.files), rows, split) if one_for_all else rows

    def paths(self, root: Path, split: str) -> list[Path]:
        """The files of `split`, those that a `*` stands for in sorted order."""
        names = self.files.replace("{split}", split) if isinstance(self.files, str) else self.files.get(split)
        if names is None:
            raise InputError(f"no file is known for split {split!r} under {root}")
        patterns = (names,) if isinstance(names, str) else names
        return [path for pattern in patterns for path in _matches(Path(root), pattern)]

    def _rows(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        for path in self.paths(root, split):
            name = path.relative_to(root).as_posix()
            for row in self._checked(path, self.parse(root, name)):
                yield {**row, self.file_field: name} if self.file_field and isinstance(row, dict) else row

    def _checked(self, path: Path, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """The rows; where the first has other fields the file has another layout, where a later one has, it is bad."""
        is_first = True
        for number, row in enumerate(rows):
            missing = self.fields if not isinstance(row, dict) else [f for f in self.fields if f not in row]
            if isinstance(row, BadRow):
                yield row
            elif not missing:
                is_first = False
                yield row
            elif is_first:
                found = ", ".join(sorted(map(str, row))) if isinstance(row, dict) else type(row).__name__
                raise InputError(f"row {number} of {path} has other fields", expected=", ".join(self.fields), got=found)
            else:
                yield BadRow(f"other fields: row {number} of {path.name} lacks {', '.join(missing)}")


@dataclass(frozen=True)
class FirstOf:
    """The first of several layouts whose files are there."""

    readers: tuple[RowReader, ...]

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """The rows of `split` in the layout at hand."""
        return self._present(root, split)(root, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The files of `split` in the layout at hand; of the first layout, where none is."""
        return self._present(root, split).paths(root, split)

    def _present(self, root: Path, split: str) -> RowReader:
        here = (r for r in self.readers if all(path.exists() for path in r.paths(root, split)))
        return next(here, self.readers[0])


@dataclass(frozen=True)
class ClassFolders:
    """Pictures in one folder a class: rows `{"image": path below the root, "label": the folder's name}`.

    folders: the folder of each split that holds the classes; "." is the root itself.
    """

    folders: Mapping[str, str]

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The pictures, by class and then by name; what operating systems leave behind is none."""
        for folder in sorted(path for path in self.paths(root, split)[0].iterdir() if path.is_dir()):
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(root).as_posix()
                if path.suffix.lower() in _PICTURES and not is_junk(name):
                    yield {"image": name, "label": folder.name}

    def paths(self, root: Path, split: str) -> list[Path]:
        """The folder of `split`."""
        return [Path(root) / self.folders[split]]


@dataclass(frozen=True)
class ArrayRows:
    """Pictures and labels in numpy files, of which each holds the arrays of all splits.

    splits: what a split is called in the arrays' names.
    images, labels: the arrays' names, in which `{split}` stands for that.
    """

    files: str
    splits: Mapping[str, str]
    images: str
    labels: str

    def __call__(self, root: Path, split: str) -> Iterator[Row | BadRow]:
        """Rows `{"image", "label": list of int, "_file", "places"}`."""
        arrays = (name.replace("{split}", self.splits[split]) for name in (self.images, self.labels))
        return FileRows({split: self.files}, parse.Npz(*arrays), ("image", "label"), file_field="_file")(root, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """All files: which arrays belong to a split is told by their names."""
        return _matches(Path(root), self.files)


@dataclass(frozen=True)
class ShardRows:
    """Rows of an Osler store below the root, one a sample, as `{"key", "sample", "places"}`.

    `places` maps the samples' media and mask paths to slices of the tar files, which `media.read_media` takes.
    """

    def __call__(self, root: Path, split: str) -> Iterator[Row]:
        """The samples of `split`, in stored order."""
        from osler.datasets.media import store_rows

        return store_rows(root, split)

    def paths(self, root: Path, split: str) -> list[Path]:
        """The two folders of the store: which of their files belong to a split is told by their names."""
        return [root / "shards", root / "index"]


def json_list(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """JSON files that hold a list of rows."""
    return FileRows(files, parse.parse_list, fields, change, file_field)


def json_map(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """JSON files that hold a mapping from an id to a row; the id becomes the row's field `_id`."""
    return FileRows(files, parse.parse_map, ("_id", *fields), change, file_field)


def jsonl(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """Files with one JSON row a line, whatever they are called."""
    return FileRows(files, parse.parse_jsonl, fields, change, file_field)


def any_json(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """JSON files whose rows stand in a list or one a line, whatever they are called."""
    return FileRows(files, parse.parse_any_json, fields, change, file_field)


def csv_table(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """Comma-separated files whose first line names the fields, gzipped or not; spaces around a name are taken off."""
    return FileRows(files, parse.Separated(","), fields, change, file_field)


def tsv_table(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """Tab-separated files whose first line names the fields."""
    return FileRows(files, parse.Separated("\t"), fields, change, file_field)


def csv_lines(files: Files, *, fields: tuple[str, ...], change: Change | None = None, file_field: str = "") -> FileRows:
    """Comma-separated files without a header line, whose values are `fields`."""
    return FileRows(files, parse.Separated(",", fields), fields, change, file_field)


def text_lines(
    files: Files, *, fields: tuple[str, ...], sep: str, change: Change | None = None, file_field: str = ""
) -> FileRows:
    """Text files without a header, each line cut at `sep` into exactly `fields`; the last field may hold `sep`."""
    return FileRows(files, parse.Lines(fields, sep), fields, change, file_field)


def parquet(
    files: Files, *, fields: tuple[str, ...] = (), images: tuple[str, ...] = (), change: Change | None = None
) -> FileRows:
    """Parquet files. `images` names columns of pictures (or lists of them), whose values become media paths."""
    return FileRows(files, parse.Parquet(images), fields, change)


def xlsx(files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None) -> FileRows:
    """Excel workbooks: the first sheet, whose first row names the fields."""
    return FileRows(files, parse.parse_xlsx, fields, change)


def webdataset(
    files: Files, *, fields: tuple[str, ...] = (), image: tuple[str, ...] = ("jpg", "png"), change: Change | None = None
) -> FileRows:
    """Tar files of samples: rows `{"__key__", "image", SUFFIX: text or parsed JSON}`."""
    return FileRows(files, parse.WebDataset(image), ("__key__", *fields), change)


def npz(files: str, *, splits: Mapping[str, str], images: str, labels: str) -> ArrayRows:
    """Numpy files with arrays of pictures and labels of every split: rows `{"image", "label", "_file"}`."""
    return ArrayRows(files, splits, images, labels)


def class_folders(folders: Mapping[str, str]) -> ClassFolders:
    """Pictures in one folder a class."""
    return ClassFolders(folders)


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


def _matches(root: Path, pattern: str) -> list[Path]:
    found = sorted(root.glob(pattern)) if "*" in pattern else []
    return found or [root / pattern]


def _changed(change: Change, root: Path, split: str, rows: Iterator[Row | BadRow]) -> Iterator[Row | BadRow]:
    """What `change` makes of the good rows, with the bad ones in between, about where they came."""
    bad: deque[BadRow] = deque()

    def good() -> Iterator[Row]:
        for row in rows:
            if isinstance(row, BadRow):
                bad.append(row)
            else:
                yield row

    for row in change(root, split, good()):
        while bad:
            yield bad.popleft()
        yield row
    yield from bad


def _of_split(path: Path, rows: Iterator[Row | BadRow], split: str) -> Iterator[Row | BadRow]:
    for number, row in enumerate(rows):
        if isinstance(row, BadRow):
            yield row
            continue
        if "split" not in row:
            raise InputError(f"row {number} of {path} does not say its split", expected="a field 'split'")
        if row["split"] == split:
            yield row
