"""Segments: the files of a trail. Each is named for its first entry; only the last one grows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from osler.core.errors import InputError
from osler.serve.audit.entry import Entry, entry_of, event_in
from osler.serve.signature import PublicKey

LOCK = ".lock"
_NAME = re.compile(r"(\d{12,18})\.jsonl")
_TAIL_BYTES = 1 << 20


@dataclass(frozen=True)
class End:
    """The last whole entry of a segment and its time; how many bytes end with it; those of a torn line behind it."""

    entry: Entry
    when: str
    size: int
    torn: bytes


def segment_path(folder: Path, first: int) -> Path:
    """The file that begins with entry `first`."""
    return folder / f"{first:012d}.jsonl"


def segments(folder: Path) -> list[tuple[int, Path]]:
    """The number of its first entry and the path of each segment, in order."""
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted(found)


def foreign_files(folder: Path) -> list[str]:
    """What lies in a trail's folder and is none of it."""
    return sorted(path.name for path in folder.iterdir() if path.name != LOCK and not _NAME.fullmatch(path.name))


def end_of(path: Path) -> End | None:
    """Where a segment ends; None where it holds no whole line.

    Raises:
        InputError: its last whole line is no entry.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
    whole = tail.rfind(b"\n")
    torn = tail[whole + 1 :]
    if whole < 0:
        return None
    line = tail[tail.rfind(b"\n", 0, whole) + 1 : whole]
    entry = entry_of(line)
    if entry is None:
        raise InputError(
            f"the last line of {path} is no entry",
            fix="Run `osler audit verify`. Keep these folders as they are and begin a new trail in new ones.",
        )
    return End(entry, str(event_in(line).get("when", "")), size - len(torn), torn)


def first_of(path: Path) -> Entry | None:
    """The first entry of a segment; None where its first line is none."""
    with path.open("rb") as file:
        return entry_of(file.readline().rstrip(b"\n"))


def is_chain(path: Path, *, signed: Mapping[int, str], signed_to: int, public: PublicKey) -> bool:
    """Whether the whole lines of a segment follow one from the other.

    Args:
        path: of the segment.
        signed: hashes that statements name.
        signed_to: entries after it are in no statement, so their own signatures are checked.
        public: who signs.
    """
    last = None
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return True
            entry = entry_of(line[:-1])
            if entry is None or signed.get(entry.seq, entry.hash) != entry.hash:
                return False
            if last is not None and (entry.seq, entry.prev) != (last.seq + 1, last.hash):
                return False
            if entry.seq > signed_to and not entry.is_signed(public):
                return False
            last = entry
    return True
