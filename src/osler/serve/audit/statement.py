"""Statement: what is signed about a trail and kept elsewhere: how far it went, and what was taken off its beginning.

`checkpoints.jsonl` gains a statement now and then, durably. `head.json` holds the newest one, after every entry; it is
replaced and not synced, so it outlives a killed process and may be old after a power cut.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.serve.signature import PublicKey, Signer

CHECKPOINTS = "checkpoints.jsonl"
HEAD = "head.json"
KEY = "signing.pub"
_ABOUT = b"osler audit statement 1\n"
_PART = ".head.part"
_COUNTED = {"kind", "count", "head", "when", "signature"}
_PRUNED = {"kind", "first", "last", "before", "head", "when", "signature"}


@dataclass
class Statements:
    """The statements that a key's owner made, and what is wrong with the files that hold them.

    counted: number of entries and hash of the last of them. pruned: last entry taken away, and its hash.
    newest: the largest counted number, with the time at which it was signed.
    """

    counted: dict[int, str] = field(default_factory=dict)
    pruned: dict[int, str] = field(default_factory=dict)
    newest: tuple[int, str] = (0, "")
    problems: list[str] = field(default_factory=list)


class Checkpoints:
    """Signs, and writes what it signed.

    Args:
        folder: where; another than the trail's, at best on another machine's disk.
        signer: whose word it is.
    """

    def __init__(self, folder: Path, signer: Signer) -> None:
        self._folder, self._signer = folder, signer

    def open(self) -> None:
        """Make the folder and leave the public key in it; a line that a crash cut off is removed.

        Raises:
            InputError: statements in there are another key's.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key, pem = self._folder / KEY, self._signer.public.pem
        if key.exists() and key.read_bytes() != pem:
            raise InputError(
                f"{self._folder} holds statements of another key",
                fix="Sign with that key, or begin a new trail in new folders and keep these.",
            )
        if not key.exists():
            _replace(key, pem)
        path = self._folder / CHECKPOINTS
        with path.open("ab+") as file:
            file.seek(0)
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(whole)
                os.fsync(file.fileno())

    def say_head(self, count: int, head: str, when: str) -> None:
        """Replace what is said of the trail's end."""
        _replace(self._folder / HEAD, self.signed({"kind": "counted", "count": count, "head": head, "when": when}))

    def say_counted(self, count: int, head: str, when: str) -> None:
        """Say for good how far the trail goes."""
        self._append({"kind": "counted", "count": count, "head": head, "when": when})

    def say_pruned(self, first: int, last: int, *, before: str, head: str, when: str) -> None:
        """Say that entries first..last are taken away: `before` is the hash before them, `head` that of the last."""
        self._append({"kind": "pruned", "first": first, "last": last, "before": before, "head": head, "when": when})

    def _append(self, statement: Mapping[str, Any]) -> None:
        path = self._folder / CHECKPOINTS
        size = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            try:
                file.write(self.signed(statement))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(path, size)
                raise

    def signed(self, statement: Mapping[str, Any]) -> bytes:
        """The line of a statement."""
        signature = self._signer.sign(_ABOUT + _canonical(statement))
        return _canonical({**statement, "signature": signature.hex()}) + b"\n"


def read_statements(folder: Path, public: PublicKey) -> Statements:
    """All statements of a folder that `public` vouches for; the others are problems."""
    found = Statements()
    for name in (CHECKPOINTS, HEAD):
        path = folder / name
        if not path.is_file():
            found.problems.append(f"{path}: missing")
            continue
        lines = path.read_bytes().split(b"\n")
        if lines.pop():
            found.problems.append(f"{path}: its last line is cut off")
        for number, line in enumerate(lines, start=1):
            statement = _read(line, public)
            if statement is None:
                found.problems.append(f"{path} line {number}: changed, or signed by another key")
            else:
                _enter(found, statement)
    if not found.counted and not found.problems:
        found.problems.append(f"{folder}: holds no statement")
    return found


def _enter(found: Statements, statement: dict[str, Any]) -> None:
    is_pruned = statement["kind"] == "pruned"
    count, head = int(statement["last" if is_pruned else "count"]), str(statement["head"])
    known = found.pruned if is_pruned else found.counted
    if known.setdefault(count, head) != head:
        found.problems.append(f"two signed statements differ about entry {count}")
    if not is_pruned and count > found.newest[0]:
        found.newest = (count, statement["when"])


def _read(line: bytes, public: PublicKey) -> dict[str, Any] | None:
    try:
        statement = json.loads(line)
        if not isinstance(statement, dict) or set(statement) not in (_COUNTED, _PRUNED):
            return None
        if _canonical(statement) != line:
            return None
        signature = bytes.fromhex(statement["signature"])
    except (ValueError, TypeError):
        return None
    bare = {name: value for name, value in statement.items() if name != "signature"}
    return statement if public.vouches(signature, _ABOUT + _canonical(bare)) else None


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(_PART)
    part.write_bytes(data)
    part.replace(path)
