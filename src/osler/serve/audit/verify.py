"""Verify: reads a trail from its first entry to its last and names everything that is not as it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder
from osler.serve.audit.entry import FIRST, Entry, entry_of, next_entry
from osler.serve.audit.segments import foreign_files, segments
from osler.serve.audit.statement import KEY, Statements, read_statements
from osler.serve.signature import PublicKey, trusted_key

_MOST_PROBLEMS = 200


@dataclass
class Report:
    """What was found. `problems` holds one line each; empty where the trail is whole.

    first, count: numbers of the first and the last entry. head: hash of the last. signed: how far checkpoints go.
    """

    first: int = 0
    count: int = 0
    head: str = FIRST
    signed: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(folder: Path, *, checkpoints: Path, key: str, expect: str = "") -> Report:
    """Check a trail against the chain of its hashes and against what was signed.

    Args:
        folder: of the trail. checkpoints: of the statements about it.
        checkpoints: folder of the statements about it.
        key: fingerprint or public key file of who signs.
        expect: `COUNT:HEAD` of an earlier check, kept elsewhere: finds a trail and statements put back together.

    Raises:
        InputError: a folder or the key is missing, or the key is another one.
    """
    trail = existing_folder(folder)
    public = _public(existing_folder(checkpoints), key)
    signed = read_statements(checkpoints, public)
    if expect:
        count, head = _expected(expect)
        if signed.counted.setdefault(count, head) != head:
            signed.problems.append(f"entry {count} is signed with another hash than the expected one")
        signed.newest = max(signed.newest, (count, "the earlier check"))
    walk = _Walk(signed, public)
    for name in foreign_files(trail):
        walk.report.problems.append(f"{trail / name}: is no part of the trail")
    for name, place, line in _lines(trail, walk.report):
        if walk.goes_on(line):
            continue
        entry, where = entry_of(line), f"{name} line {place}"
        if entry is None:
            walk.report.problems.append(f"{where}: is no entry")
        else:
            walk.take(entry, where)
        if walk.num_problems > _MOST_PROBLEMS:
            walk.report.notes.append(f"{where}: the check stopped here")
            break
    return walk.end()


def _public(checkpoints: Path, key: str) -> PublicKey:
    path = existing_file(checkpoints / KEY)
    return trusted_key(path.read_bytes(), str(path), key=key)


def _expected(text: str) -> tuple[int, str]:
    count, _, head = text.partition(":")
    if not count.isdigit() or int(count) == 0 or len(head) != 64 or set(head) - set("0123456789abcdef"):
        raise InputError(f"cannot read expect={text!r}", expected="COUNT:HEAD as an earlier check printed it")
    return int(count), head


def _lines(trail: Path, report: Report) -> Iterator[tuple[str, int, bytes]]:
    """Every whole line with its file and number. One cut off at the very end is a crash's: no request waited for it."""
    found = segments(trail)
    for number, (_, path) in enumerate(found, start=1):
        with path.open("rb") as file:
            for place, line in enumerate(file, start=1):
                if line[-1:] == b"\n":
                    yield path.name, place, line[:-1]
                elif number == len(found):
                    report.notes.append(f"{path.name} line {place}: cut off by a crash, removed at the next start")
                else:
                    report.problems.append(f"{path.name} line {place}: is cut off")


class _Walk:
    """Follows the chain. `_last` is the entry with the highest number so far."""

    def __init__(self, signed: Statements, public: PublicKey) -> None:
        self.report = Report(problems=list(signed.problems))
        self._signed, self._public = signed, public
        self._last: Entry | None = None
        self._gaps: dict[int, tuple[int, str]] = {}
        self._late: set[int] = set()
        self._blamed: set[str] = set()

    @property
    def num_problems(self) -> int:
        """How many are known by now."""
        return len(self.report.problems) + len(self._gaps)

    def goes_on(self, line: bytes) -> bool:
        """Take a line that follows the last one and of which no statement speaks: nearly all of a whole trail."""
        entry = next_entry(line, self._last) if self._last is not None else None
        if entry is None or entry.seq >= self._signed.newest[0] or entry.seq in self._signed.counted:
            return False
        self._last = entry
        return True

    def take(self, entry: Entry, where: str) -> None:
        """The next line, whatever it is."""
        last = self._last
        if last is None:
            self._begin(entry, where)
        elif entry.seq <= last.seq:
            self._out_of_place(entry, where)
            return
        elif entry.seq > last.seq + 1:
            self._gaps[last.seq + 1] = (entry.seq - 1, where)
            self._blame(entry, where)
        elif entry.prev != last.hash and not self._blame(last, f"before {where}") | self._blame(entry, where):
            self._say(where, f"entry {entry.seq} does not go on from entry {last.seq}")
        if entry.seq > self._signed.newest[0]:
            self._blame(entry, where)
        elif self._signed.counted.get(entry.seq, entry.hash) != entry.hash and not self._blame(entry, where):
            self._say(where, f"entry {entry.seq} is not the one that was signed; it or ones before it were rewritten")
        self._last = entry

    def end(self) -> Report:
        """The report, once all lines are taken."""
        report, last = self.report, self._last
        for first, (until, where) in self._gaps.items():
            if until - first + 1 > sum(first <= seq <= until for seq in self._late):
                self._say(where, f"{_entries(first, until)} missing before it")
        report.count, report.head = (last.seq, last.hash) if last is not None else (0, FIRST)
        report.signed, when = self._signed.newest
        if report.signed > report.count:
            missing = _entries(report.count + 1, report.signed)
            self._say("end", f"the trail ends at entry {report.count}: {missing} missing (signed at {when})")
        elif report.signed < report.count:
            report.notes.append(f"{_entries(report.signed + 1, report.count)} whole and not yet in a checkpoint")
        return report

    def _say(self, where: str, problem: str) -> None:
        self.report.problems.append(f"{where}: {problem}")

    def _blame(self, entry: Entry, where: str) -> bool:
        """Whether the service did not write this line; said once."""
        if entry.hash in self._blamed:
            return True
        if entry.is_signed(self._public):
            return False
        self._blamed.add(entry.hash)
        self._say(where, f"entry {entry.seq} was changed or put in: the service did not write it so")
        return True

    def _begin(self, entry: Entry, where: str) -> None:
        self.report.first = entry.seq
        before = FIRST if entry.seq == 1 else self._signed.pruned.get(entry.seq - 1)
        if before is None:
            self._say(where, f"{_entries(1, entry.seq - 1)} missing before it, and nobody signed their removal")
            self._blame(entry, where)
        elif entry.prev != before:
            if not self._blame(entry, where):
                self._say(where, f"entry {entry.seq} does not go on from what was signed")
        elif entry.seq > 1:
            self.report.notes.append(f"{_entries(1, entry.seq - 1)} taken away by retention, as signed")

    def _out_of_place(self, entry: Entry, where: str) -> None:
        is_gap = any(first <= entry.seq <= until for first, (until, _) in self._gaps.items())
        self._blame(entry, where)
        if is_gap and entry.seq not in self._late:
            self._late.add(entry.seq)
            self._say(where, f"entry {entry.seq} stands out of order")
        else:
            self._say(where, f"there is an entry {entry.seq} already")


def _entries(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


class VerifyOptions(Config):
    """What `osler audit verify DIR` is told besides: see `verify`."""

    checkpoints: Path
    key: str
    expect: str = ""
