"""Every edit, deletion, swap, insertion and truncation is found, wherever it is."""

import json
import shutil

import pytest

from audit_world import OTHER, SIGNER, Trail, event
from osler.core.errors import InputError
from osler.core.rng import generator
from osler.serve.audit.entry import entry_of, line_of, record_of

NUM = 30
TIMES = 100


def edited(lines, rng):
    """Another byte at a random place of a random line, its newline left."""
    number = int(rng.integers(len(lines)))
    line = bytearray(lines[number])
    place = int(rng.integers(len(line) - 1))
    line[place] = (line[place] + int(rng.integers(1, 256))) % 256
    return [*lines[:number], bytes(line), *lines[number + 1 :]]


def deleted(lines, rng):
    number = int(rng.integers(len(lines)))
    return lines[:number] + lines[number + 1 :]


def reordered(lines, rng):
    one, other = sorted(rng.choice(len(lines), size=2, replace=False))
    moved = list(lines)
    moved[one], moved[other] = moved[other], moved[one]
    return moved


def inserted(lines, rng):
    """A line that goes on from the one before it, signed by somebody; the others stay or are numbered anew."""
    number = int(rng.integers(len(lines) + 1))
    prev = entry_of(lines[number - 1][:-1]).hash if number else "0" * 64
    forged, _ = line_of(number + 1, prev, event=record_of(event(7, who="nobody")), signer=OTHER)
    rest = lines[number:]
    if rng.integers(2):
        rest = [
            line.replace(b'"seq":%d,' % (number + 1 + n), b'"seq":%d,' % (number + 2 + n))
            for n, line in enumerate(rest)
        ]
    return [*lines[:number], forged, *rest]


def truncated(lines, rng):
    return lines[: int(rng.integers(len(lines)))]


def cut_within_a_line(lines, rng):
    whole = b"".join(lines)
    return [whole[: int(rng.integers(len(whole) - 1))]]


TAMPERED = [edited, deleted, reordered, inserted, truncated, cut_within_a_line]


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_tampering_is_found_a_hundred_times_of_a_hundred(tamper, tmp_path):
    trail = Trail(tmp_path).filled(NUM, segment_entries=13, checkpoint_entries=6)
    lines = trail.lines()
    assert trail.verify().problems == []
    rng = generator(3, tamper.__name__)
    missed = []
    for time in range(TIMES):
        trail.put(tamper(lines, rng))
        if not trail.verify().problems:
            missed.append(time)
    assert missed == []


def test_a_crash_before_the_last_head_hides_no_forged_entry(tmp_path):
    """Entries that no statement knows yet are checked one by one."""
    trail = Trail(tmp_path).filled(12, checkpoint_entries=5)
    newest = (trail.checkpoints / "checkpoints.jsonl").read_bytes().splitlines(keepends=True)
    (trail.checkpoints / "checkpoints.jsonl").write_bytes(newest[0])
    (trail.checkpoints / "head.json").write_bytes(newest[0])
    report = trail.verify()
    assert (report.problems, report.signed, report.count) == ([], 5, 12)
    assert report.notes == ["entries 6 to 12 are whole and not yet in a checkpoint"]
    lines = trail.lines()
    forged, _ = line_of(13, entry_of(lines[-1][:-1]).hash, event=record_of(event(1)), signer=OTHER)
    trail.put([*lines, forged])
    assert trail.verify().problems == [
        "000000000001.jsonl line 13: entry 13 was changed or put in: the service did not write it so"
    ]


def test_problems_say_where(tmp_path):
    trail = Trail(tmp_path).filled(30, checkpoint_entries=10)
    lines = trail.lines()

    def problems(changed):
        trail.put(changed)
        return trail.verify().problems

    assert problems([*lines[:9], lines[9].replace(b"ward-3", b"ward-4"), *lines[10:]]) == [
        "000000000001.jsonl line 10: entry 10 was changed or put in: the service did not write it so"
    ]
    assert problems([*lines[:6], lines[6].replace(b"ward-3", b"ward-4"), *lines[7:]]) == [
        "before 000000000001.jsonl line 8: entry 7 was changed or put in: the service did not write it so"
    ]
    assert problems([*lines[:4], *lines[7:]]) == ["000000000001.jsonl line 5: entries 5 to 7 are missing before it"]
    assert problems([*lines[:4], lines[5], lines[4], *lines[6:]]) == [
        "000000000001.jsonl line 6: entry 5 stands out of order"
    ]
    assert problems([*lines[:4], lines[3], *lines[4:]]) == ["000000000001.jsonl line 5: there is an entry 4 already"]
    assert problems([*lines[:4], b"note\n", *lines[4:]]) == ["000000000001.jsonl line 5: is no entry"]
    (short,) = problems(lines[:-2])
    assert short.startswith("end: the trail ends at entry 28: entries 29 to 30 are missing (signed at 20")
    (none,) = problems([])
    assert none.startswith("end: the trail ends at entry 0: entries 1 to 30 are missing")


def test_a_rewritten_trail_with_the_right_key_is_no_longer_what_was_signed(tmp_path):
    """Even the signer cannot change the past once a statement about it is out."""
    trail = Trail(tmp_path).filled(20, checkpoint_entries=10)
    lines, head = [], "0" * 64
    for number, line in enumerate(trail.lines(), start=1):
        words = {**json.loads(line)["event"], "who": "ward-9"}
        fresh, head = line_of(number, head, event=words, signer=SIGNER)
        lines.append(fresh)
    trail.put(lines)
    assert trail.verify().problems == [
        f"000000000001.jsonl line {n}: entry {n} is not the one that was signed; it or ones before it were rewritten"
        for n in (10, 20)
    ]


def test_an_earlier_check_finds_a_trail_and_statements_put_back_together(tmp_path):
    old = Trail(tmp_path / "old").filled(10)
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    new = Trail(tmp_path / "new").filled(15)
    report = new.verify()
    expect = f"{report.count}:{report.head}"
    assert old.verify().problems == []
    (problem,) = old.verify(expect=expect).problems
    assert "ends at entry 10" in problem and "the earlier check" in problem
    assert new.verify(expect=expect).problems == []
    with pytest.raises(InputError, match="cannot read expect="):
        new.verify(expect="15")


@pytest.mark.parametrize("name", ["checkpoints.jsonl", "head.json"])
def test_statements_that_were_changed_removed_or_signed_by_another_are_problems(name, tmp_path):
    trail = Trail(tmp_path).filled(20, checkpoint_entries=10)
    path = trail.checkpoints / name
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"count":20', b'"count":19'))
    (problem,) = trail.verify().problems
    assert problem.startswith(f"{path} line") and problem.endswith("changed, or signed by another key")
    path.write_bytes(before[:-1])
    assert trail.verify().problems == [f"{path}: its last line is cut off"]
    path.unlink()
    assert trail.verify().problems == [f"{path}: missing"]


def test_the_key_must_be_the_trusted_one(tmp_path):
    trail = Trail(tmp_path).filled(3)
    from osler.serve.audit.verify import verify

    with pytest.raises(InputError, match="not the key that you trust"):
        verify(trail.folder, checkpoints=trail.checkpoints, key=OTHER.public.fingerprint)
    with pytest.raises(InputError, match="no key to trust"):
        verify(trail.folder, checkpoints=trail.checkpoints, key="")
    with pytest.raises(InputError, match="cannot read"):
        verify(trail.base / "none", checkpoints=trail.checkpoints, key=SIGNER.public.fingerprint)


def test_foreign_files_and_a_missing_file_are_problems(tmp_path):
    trail = Trail(tmp_path).filled(30, segment_entries=10)
    (trail.folder / "notes.txt").write_text("x")
    (trail.folder / f"{11:012d}.jsonl").unlink()
    assert trail.verify().problems == [
        f"{trail.folder / 'notes.txt'}: is no part of the trail",
        "000000000021.jsonl line 1: entries 11 to 20 are missing before it",
    ]


def test_a_shuffled_trail_does_not_keep_the_check_busy(tmp_path):
    trail = Trail(tmp_path).filled(10)
    lines = trail.lines()
    trail.put([line for _ in range(100) for line in reversed(lines)])
    report = trail.verify()
    assert len(report.problems) < 250 and report.notes[-1].endswith("the check stopped here")
