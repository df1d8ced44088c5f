"""Reader of JSON files that hold rows as one list or one a line, whatever their names end in."""

from collections.abc import Iterator
from pathlib import Path

from osler.core.files import existing_file
from osler.datasets import parse
from osler.datasets.dataset import BadRow, Row
from osler.datasets.read import Change, FileRows, Files


def any_json(
    files: Files, *, fields: tuple[str, ...] = (), change: Change | None = None, file_field: str = ""
) -> FileRows:
    """JSON files whose rows stand in a list, or one a line; which of the two, the first mark of a file tells."""
    return FileRows(files, parse_any, fields, change, file_field)


def parse_any(root: Path, name: str) -> Iterator[Row | BadRow]:
    """The rows of a JSON list, or of JSON lines."""
    with existing_file(root / name).open(encoding="utf-8-sig") as file:
        mark = next((line.lstrip()[0] for line in iter(lambda: file.readline(4096), "") if line.strip()), "")
    return parse.parse_list(root, name) if mark == "[" else parse.parse_jsonl(root, name)
