"""Pictures of visual questions: named by their content, and put where the words have a mark for them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from osler.core.files import sha256_bytes
from osler.datasets.dataset import Row
from osler.datasets.packed import SEP, read_packed
from osler.schema.media import MediaRef
from osler.schema.sample import image

_MARK = re.compile(r"<image\s*(\d*)>")
_NAME_LENGTH = 24


def by_content(root: Path, split: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Give a row's embedded pictures names made of their bytes' SHA-256.

    Published parquet files repeat a picture in each row that asks about it. With one name for it, its questions
    share a record and a group. The bytes are read once more for this: about a second a gigabyte.
    """
    for row in rows:
        # An empty cell has a place, too, which is not read.
        shown = [path for value in row.values() for path in (value if isinstance(value, list) else [value])]
        used = {path: place for path, place in row["places"].items() if path in shown}
        names = {path: _content_name(root, place) for path, place in used.items()}
        renamed = {key: _renamed(value, names) for key, value in row.items() if key != "places"}
        yield {**renamed, "places": {names[path]: place for path, place in used.items()}}


def numbered(row: Row, columns: Sequence[str]) -> dict[int, str]:
    """The pictures in `columns`, by their number in the column's name; an empty cell has none."""
    return {int(column.rpartition("_")[2]): row[column] for column in columns if row.get(column)}


def at_marks(text: str, paths: Mapping[int, str]) -> tuple[MediaRef | str, ...] | None:
    """Words and pictures in the order of the marks `<image 2>` (or `<image>`, the next picture) in `text`.

    Pictures without a mark come first. A picture is shown once: a later mark for it becomes the words `image 2`.
    None where a mark has no picture.
    """
    marks = _MARK.findall(text)
    unnamed = [number for number in sorted(paths) if str(number) not in marks]
    num_first = max(0, len(unnamed) - marks.count(""))
    shown, waiting = unnamed[:num_first], unnamed[num_first:]
    parts: list[MediaRef | str] = [image(paths[number]) for number in shown]
    words, end = "", 0
    for mark in _MARK.finditer(text):
        words += text[end : mark.start()]
        end = mark.end()
        number = int(mark[1]) if mark[1] else (waiting.pop(0) if waiting else 0)
        if number not in paths:
            return None
        if number in shown:
            words += f"image {number}"
            continue
        parts += [part for part in (words.strip(), image(paths[number])) if part]
        shown.append(number)
        words = ""
    rest = (words + text[end:]).strip()
    return tuple([*parts, rest] if rest else parts)


def without_marks(text: str) -> str:
    """The words with `image 2` for the mark `<image 2>`."""
    return _MARK.sub(lambda mark: f"image {mark[1]}".strip(), text)


def _renamed(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def _content_name(root: Path, place: str) -> str:
    file, *rest = place.split(SEP)
    data = read_packed(root / file, rest)
    return sha256_bytes(data)[:_NAME_LENGTH] if data else ""
