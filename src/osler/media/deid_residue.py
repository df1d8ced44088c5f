"""Residue: given strings that must be gone, the bytes of files in which one is left, packed or not."""

import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from osler.media.deid_identity import Identity
from osler.media.deid_text import date_forms

MIN_CHARS = 4
_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = 1 << 30
_MAX_DEPTH = 4
_TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt", b"eXIf"}


@dataclass(frozen=True)
class Residue:
    """Where a string is left. `number` counts the strings that were given; the string itself is not repeated."""

    place: str
    number: int


def find_residue(root: Path, strings: Iterable[str]) -> list[Residue]:
    """Every place below `root` that holds one of `strings`: file names, file bytes, and what the files have packed.

    Case does not matter; UTF-8, UTF-16 of both orders and Latin-1 are searched, and gzip, zip, tar, Parquet and the
    text of PNG files are opened. Strings shorter than 4 characters are left out: they stand everywhere by chance.
    """
    search = Search(strings)
    found = []
    for path in sorted(Path(root).rglob("*")):
        name = path.relative_to(root).as_posix()
        found += [Residue("a file name", number) for number in search.numbers(name.encode())]
        if path.is_file():
            found += [Residue(place, number) for place, number in search.places(path.read_bytes(), name)]
    return found


class Search:
    """Many strings looked for at once."""

    def __init__(self, strings: Iterable[str]) -> None:
        self._numbers: dict[bytes, int] = {}
        for number, string in enumerate(strings):
            for form in _forms(string) if len(string.strip()) >= MIN_CHARS else ():
                self._numbers.setdefault(form, number)
        longest_first = sorted(self._numbers, key=lambda form: (-len(form), form))
        self._pattern = re.compile(b"|".join(map(re.escape, longest_first))) if longest_first else None

    def numbers(self, data: bytes) -> list[int]:
        """Which strings stand in `data` as it is."""
        if self._pattern is None:
            return []
        return sorted({self._numbers[found.group()] for found in self._pattern.finditer(data.lower())})

    def places(self, data: bytes, name: str) -> Iterator[tuple[str, int]]:
        """Which strings stand in `data` or in anything that it packs."""
        for place, part in _parts(data, name, 0):
            for number in self.numbers(part):
                yield place, number


def identity_strings(identity: Identity) -> list[str]:
    """The strings of an identity that must not be left: whole names and their parts, numbers, places, dates."""
    strings = set(identity.ids | identity.contacts | identity.places)
    for person in identity.persons:
        parts = [part for part in re.split(r"[\^=\s,]+", person) if part]
        strings |= {person, " ".join(parts), " ".join(reversed(parts)), *(p for p in parts if len(p) > MIN_CHARS)}
    for day in identity.dates:
        strings |= {form for form in date_forms(day) if len(form) >= 8}
    return sorted(strings)


def _forms(string: str) -> set[bytes]:
    """Encoded, in lower case as bytes know it: letters outside ASCII come as written, in capitals and in small ones."""
    word = string.strip()
    codes = ("utf-8", "utf-16-le", "utf-16-be", "latin-1")
    return {w.encode(c, "ignore").lower() for w in (word, word.lower(), word.upper()) for c in codes} - {b""}


def _parts(data: bytes, name: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """The bytes themselves, then what they hold, opened as far as a format is known."""
    yield name, data
    if depth >= _MAX_DEPTH:
        return
    for inner, part in _members(data):
        yield from _parts(part, f"{name}:{inner}", depth + 1)


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        if data.startswith(b"\x1f\x8b"):
            yield "gz", gzip.GzipFile(fileobj=io.BytesIO(data)).read(_MAX_BYTES)
        elif data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for info in archive.infolist():
                    with archive.open(info) as member:
                        yield info.filename, member.read(_MAX_BYTES)
        elif data.startswith(b"PAR1"):
            yield "rows", _parquet_text(data)
        elif data.startswith(_PNG):
            yield from _png_texts(data)
        elif data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for entry in archive:
                    file = archive.extractfile(entry)
                    if file is not None:
                        yield entry.name, file.read(_MAX_BYTES)
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, ValueError, struct.error):
        return


def _parquet_text(data: bytes) -> bytes:
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    metadata = repr(table.schema.metadata).encode()
    return metadata + repr(table.to_pylist()).encode()


def _png_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = len(_PNG)
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if kind in _TEXT_CHUNKS:
            packed = body.rpartition(b"\0")[2] if kind != b"zTXt" else body.partition(b"\0")[2][1:]
            try:
                yield kind.decode(), zlib.decompressobj().decompress(packed, _MAX_BYTES)
            except zlib.error:
                yield kind.decode(), body
        at += 12 + size
