"""Log: writes the trail. Entries are on the disk before `write` returns, or it raises."""

import fcntl
import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.serve.audit.entry import FIRST, entry_of, event_in, line_of, record_of
from osler.serve.audit.segments import LOCK, End, end_of, first_of, is_chain, segment_path, segments
from osler.serve.audit.statement import Checkpoints, Statements, read_statements
from osler.serve.event import Event
from osler.serve.signature import Signer

_MODE = 0o600


@dataclass(frozen=True)
class Upkeep:
    """How a trail is cut and how long it stays.

    segment_entries, segment_days: when a new file begins.
    keep_days: files whose last entry is older are taken away as a whole; None keeps all.
    checkpoint_entries: after how many entries a statement is kept for good.
    """

    segment_entries: int = 100_000
    segment_days: float = 7.0
    keep_days: float | None = None
    checkpoint_entries: int = 100


class AuditLog:
    """One trail, held by one process.

    Args:
        folder: where entries go.
        checkpoints: where signed statements about them go; outside of `folder`.
        signer: who signs.
        upkeep: how it is cut and how long it stays.
        now: the time; tests pass their own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        checkpoints: Path,
        signer: Signer,
        upkeep: Upkeep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder, self._elsewhere, self._signer, self._now = folder, checkpoints, signer, now
        self._checkpoints = Checkpoints(checkpoints, signer)
        self._upkeep = upkeep
        self._lock = threading.Lock()
        self._held: int | None = None
        self._file: int | None = None
        self._path = folder
        self._size = self._seq = self._num_signed = 0
        self._first = 1
        self._began = self._now()
        self._head = FIRST

    def open(self) -> list[str]:
        """Take hold of the trail and go on where it ended. Returns what the operator should know.

        Raises:
            InputError: another process holds it, it cannot be written, or it is not what was signed.
        """
        if self._elsewhere.resolve().is_relative_to(self._folder.resolve()):
            raise InputError(
                f"checkpoints in {self._elsewhere} lie inside the trail", fix="Keep them in a folder elsewhere."
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._take_hold()
            self._checkpoints.open()
            return self._go_on()
        except OSError as error:
            self._let_go()
            raise InputError(f"the audit trail in {self._folder} cannot be written: {error.strerror}") from error
        except InputError:
            self._let_go()
            raise

    def write(self, events: Sequence[Event]) -> None:
        """Enter events in their order, all of them or none, with one wait for the disk.

        Raises:
            OSError, ValueError: that cannot be done.
        """
        records = [record_of(event) for event in events]
        with self._lock:
            if self._is_full():
                self._begin_segment()
                self._prune(read_statements(self._elsewhere, self._signer.public))
            self._append(records)

    def close(self) -> None:
        """Sign the end and let go."""
        with self._lock:
            try:
                if self._file is not None and self._num_signed < self._seq:
                    self._checkpoints.say_counted(self._seq, self._head, self._time())
            finally:
                self._let_go()

    @property
    def count(self) -> int:
        """The number of the last entry."""
        return self._seq

    @property
    def head(self) -> str:
        """The hash of the last entry."""
        return self._head

    def _take_hold(self) -> None:
        self._held = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"another process writes the audit trail in {self._folder}",
                fix="Stop it, or give this one folders of its own.",
            ) from error

    def _let_go(self) -> None:
        for number in (self._file, self._held):
            if number is not None:
                os.close(number)
        self._file = self._held = None

    def _go_on(self) -> list[str]:
        signed = read_statements(self._elsewhere, self._signer.public)
        torn = b""
        if (found := self._last_segment()) is not None:
            self._first, self._path, end = found
            self._seq, self._head, self._size, torn = end.entry.seq, end.entry.hash, end.size, end.torn
            self._began = _first_time(self._path) or self._now()
        self._refuse_loss(signed)
        for first, path in segments(self._folder):
            if first > self._seq:
                path.unlink()
        count = self._seq
        if count == 0:
            self._begin_segment()
        else:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            os.ftruncate(self._file, self._size)
        said = {"torn_bytes": len(torn), "torn_sha256": hashlib.sha256(torn).hexdigest()} if torn else {}
        self._note("opened", mark=secrets.token_hex(16), **said)
        self._prune(signed)
        cut = (
            f"the audit trail ended within a line: its {len(torn)} bytes, of a request that was not let in, are cut off"
        )
        return [*([cut] if torn else []), *signed.problems] if count else []

    def _last_segment(self) -> tuple[int, Path, End] | None:
        """The last segment with an entry. One behind it has none where a crash came before its first."""
        for first, path in reversed(segments(self._folder)):
            end = end_of(path)
            if end is not None:
                return first, path, end
        return None

    def _refuse_loss(self, signed: Statements) -> None:
        """Refuse a trail that lacks what was signed, or whose last segment is no chain."""
        count, when = signed.newest
        is_short = self._seq < count
        if not is_short and (not self._seq or self._is_chain(self._path, signed)):
            return
        raise InputError(
            f"the audit trail in {self._folder} is not what was written",
            expected=f"{count} entries, signed at {when}" if is_short else "one chain",
            got=f"{self._seq} entries" if is_short else "another",
            fix="Run `osler audit verify`. Keep these folders as they are and begin a new trail in new ones.",
        )

    def _is_chain(self, path: Path, signed: Statements) -> bool:
        return is_chain(path, signed=signed.counted, signed_to=signed.newest[0], public=self._signer.public)

    def _is_full(self) -> bool:
        oldest = self._now() - timedelta(days=self._upkeep.segment_days)
        return self._seq - self._first + 1 >= self._upkeep.segment_entries or self._began <= oldest

    def _begin_segment(self) -> None:
        path = segment_path(self._folder, self._seq + 1)
        fresh = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.ftruncate(fresh, 0)
            os.fsync(folder)
        finally:
            os.close(folder)
        if self._file is not None:
            os.close(self._file)
        self._file, self._path, self._size = fresh, path, 0
        self._first, self._began = self._seq + 1, self._now()

    def _prune(self, signed: Statements) -> None:
        """Take away closed segments that are old enough, the oldest first; one that was tampered with stays."""
        if self._upkeep.keep_days is None:
            return
        limit = self._now() - timedelta(days=self._upkeep.keep_days)
        closed = [(first, path) for first, path in segments(self._folder) if first < self._first]
        for first, path in closed:
            begin, end = first_of(path), end_of(path)
            if begin is None or end is None or datetime.fromisoformat(end.when) >= limit:
                return
            after = first_of(segment_path(self._folder, end.entry.seq + 1))
            if after is None or after.prev != end.entry.hash or not self._is_chain(path, signed):
                return
            last, when = end.entry, self._time()
            self._checkpoints.say_pruned(first, last.seq, before=begin.prev, head=last.hash, when=when)
            path.unlink()
            self._note("pruned", first=first, last=last.seq)

    def _note(self, what: str, **fields: Any) -> None:
        self._append([{"phase": "note", "what": what, "when": self._time(), **fields}])

    def _append(self, events: list[dict[str, Any]]) -> None:
        file = self._still_there()
        lines, seq, digest = bytearray(), self._seq, self._head
        for event in events:
            line, digest = line_of(seq + 1, digest, event=event, signer=self._signer)
            lines += line
            seq += 1
        try:
            left = memoryview(lines)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        except OSError:
            os.ftruncate(file, self._size)
            raise
        self._seq, self._head, self._size = seq, digest, self._size + len(lines)
        when = self._time()
        self._checkpoints.say_head(self._seq, digest, when)
        if self._seq - self._num_signed >= self._upkeep.checkpoint_entries:
            self._checkpoints.say_counted(self._seq, digest, when)
            self._num_signed = self._seq

    def _still_there(self) -> int:
        """The open file, if it is still the one at its path and nobody else wrote to it."""
        if self._file is None:
            raise OSError("the audit trail is closed")
        own, named = os.fstat(self._file), self._path.stat()
        if (own.st_ino, own.st_dev) != (named.st_ino, named.st_dev):
            raise OSError("the audit trail was replaced by another file")
        if own.st_size != self._size:
            raise OSError("the audit trail was changed by somebody else")
        return self._file

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def _first_time(path: Path) -> datetime | None:
    with path.open("rb") as file:
        line = file.readline().rstrip(b"\n")
    if entry_of(line) is None:
        return None
    return datetime.fromisoformat(event_in(line)["when"])
