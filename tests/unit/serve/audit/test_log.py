import json
import os
import resource
import subprocess
import sys

import pytest

from audit_world import OTHER, Clock, Trail, event
from osler.core.errors import InputError
from osler.serve.audit.log import AuditLog, Upkeep
from osler.serve.audit.segments import segments


def events(trail):
    return [json.loads(line)["event"] for line in trail.lines()]


def test_an_event_is_written_as_it_is_and_holds_no_word(tmp_path):
    trail = Trail(tmp_path)
    log = trail.log()
    assert log.open() == []
    log.write([event(5)])
    log.write([event(6, phase="refused", who="", prompt_hmac="", image_hmacs=(), status=401, counts={})])
    log.close()
    opened, first, second = events(trail)
    assert (opened["phase"], opened["what"], len(opened["mark"])) == ("note", "opened", 32)
    assert first == {
        "phase": "answered", "who": "ward-3", "when": "2026-03-01T09:00:00+00:00", "route": "POST /v1/chat/completions",
        "request_id": "r5", "model": "toy", "bundle_sha256": "b" * 64, "prompt_hmac": f"{5:064x}",
        "image_hmacs": ["a" * 64], "status": 200, "counts": {"tokens_out": 5},
    }  # fmt: skip
    assert {"who", "prompt_hmac", "image_hmacs", "counts"} & set(second) == set()
    assert all(path.stat().st_mode & 0o077 == 0 for _, path in segments(trail.folder))


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt_hmac": "Is there a nodule?"},
        {"image_hmacs": ("MRN 12345",)},
        {"image_hmacs": ("a" * 64,) * 1001},
        {"bundle_sha256": "x"},
        {"model": "a\nb"},
        {"route": "x" * 301},
        {"counts": {"tokens": "two"}},
        {"counts": {"Mary Miller": 1}},
        {"phase": "guessed"},
        {"when": "today"},
        {"when": "2026-03-01T09:00:00"},
    ],
    ids=str,
)
def test_words_in_place_of_digests_are_refused(wrong, tmp_path):
    trail = Trail(tmp_path)
    log = trail.log()
    log.open()
    with pytest.raises(ValueError):
        log.write([event(1, **wrong)])
    log.write([event(2)])
    log.close()
    assert (trail.verify().problems, len(trail.lines())) == ([], 2)


def test_an_odd_name_of_a_token_s_bearer_is_entered_as_its_hash(tmp_path):
    trail = Trail(tmp_path)
    log = trail.log()
    log.open()
    for who in ("x" * 301, "a\nb", "\udcff"):
        log.write([event(1, who=who)])
    log.close()
    assert all(each["who"].startswith("sha256:") for each in events(trail)[1:]) and trail.verify().problems == []


def test_several_events_are_written_together_or_not_at_all(tmp_path):
    trail = Trail(tmp_path)
    log = trail.log(segment_entries=4)
    log.open()
    log.write([event(number) for number in range(5)])
    with pytest.raises(ValueError):
        log.write([event(5), event(6, prompt_hmac="words")])
    log.write([event(7), event(8)])
    log.close()
    report = trail.verify()
    assert (report.problems, report.count) == ([], 8)
    assert [each.get("request_id") for each in events(trail)][1:] == ["r0", "r1", "r2", "r3", "r4", "r7", "r8"]


def test_it_goes_on_where_it_ended(tmp_path):
    trail = Trail(tmp_path).filled(10).filled(20, segment_entries=12)
    report = trail.verify()
    assert (report.problems, report.first, report.count, report.signed) == ([], 1, 20, 20)
    assert [event.get("what") for event in events(trail)].count("opened") == 2


def test_one_process_writes(tmp_path):
    trail = Trail(tmp_path)
    log = trail.log()
    log.open()
    with pytest.raises(InputError, match="another process writes the audit trail"):
        trail.log().open()
    log.close()
    trail.log().open()


def test_checkpoints_belong_elsewhere_and_to_one_key(tmp_path):
    trail = Trail(tmp_path).filled(3)
    with pytest.raises(InputError, match="lie inside the trail"):
        AuditLog(trail.folder, checkpoints=trail.folder / "x", signer=OTHER, upkeep=Upkeep()).open()
    with pytest.raises(InputError, match="statements of another key"):
        AuditLog(trail.folder, checkpoints=trail.checkpoints, signer=OTHER, upkeep=Upkeep()).open()
    with pytest.raises(InputError, match="cannot be written"):
        AuditLog(trail.checkpoints / "signing.pub", checkpoints=tmp_path / "c", signer=OTHER, upkeep=Upkeep()).open()


@pytest.mark.parametrize("keep", [1, 40, 300])
def test_a_line_cut_by_a_crash_is_cut_off_and_said(keep, tmp_path):
    trail = Trail(tmp_path).filled(5)
    (_, path), *_ = segments(trail.folder)
    with path.open("ab") as file:
        file.write(trail.lines()[-1][:keep])
    assert trail.verify().problems == []
    assert trail.verify().notes == ["000000000001.jsonl line 6: cut off by a crash, removed at the next start"]
    log = trail.log()
    (said,) = log.open()
    assert f"its {keep} bytes" in said
    log.close()
    assert trail.verify().problems == [] and events(trail)[-1]["torn_bytes"] == keep


def test_a_segment_that_a_crash_left_empty_is_no_loss(tmp_path):
    trail = Trail(tmp_path).filled(5)
    (trail.folder / f"{6:012d}.jsonl").write_bytes(b'{"seq":6,')
    assert trail.verify().problems == []
    trail.filled(8)
    assert (trail.verify().problems, trail.verify().count) == ([], 8)


def test_lost_or_changed_entries_keep_the_service_from_starting(tmp_path):
    trail = Trail(tmp_path).filled(10)
    lines = trail.lines()
    for wrong in (lines[:-1], [], [*lines[:3], lines[3].replace(b"ward-3", b"ward-4"), *lines[4:]], [*lines, b"x\n"]):
        trail.put(wrong)
        with pytest.raises(InputError, match="begin a new trail"):
            trail.log().open()
    trail.put(lines)
    trail.filled(12)
    assert trail.verify().problems == []


def test_a_head_lost_in_a_power_cut_is_said_and_written_anew(tmp_path):
    trail = Trail(tmp_path).filled(10)
    (trail.checkpoints / "head.json").write_bytes(b"")
    assert trail.verify().problems == []  # the durable checkpoint of the close still vouches for all ten
    (trail.checkpoints / "head.json").write_bytes(b"{")
    log = trail.log()
    assert log.open() == [f"{trail.checkpoints / 'head.json'}: its last line is cut off"]
    log.close()
    assert trail.verify().problems == []


def test_a_full_disk_refuses_the_event_and_leaves_nothing_of_it(tmp_path):
    trail = Trail(tmp_path)
    log = trail.log()
    log.open()
    log.write([event(1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (_, path), *_ = segments(trail.folder)
    size = path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
    try:
        for _ in range(3):
            with pytest.raises(OSError):
                log.write([event(2)])
        assert path.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    log.write([event(3)])
    log.close()
    assert (trail.verify().problems, trail.verify().count) == ([], 3)


def test_a_trail_that_is_moved_or_touched_under_it_refuses_events(tmp_path):
    trail = Trail(tmp_path)
    log = trail.log()
    log.open()
    (_, path), *_ = segments(trail.folder)
    path.rename(tmp_path / "kept")
    with pytest.raises(OSError):
        log.write([event(1)])
    (tmp_path / "kept").rename(path)
    log.write([event(1)])
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(OSError, match="changed by somebody else"):
        log.write([event(2)])
    log.close()
    with pytest.raises(OSError, match="closed"):
        log.write([event(3)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot be written"):
        Trail(tmp_path).log().open()


def test_retention_takes_whole_files_away_with_a_signed_note(tmp_path):
    clock, trail = Clock(), Trail(tmp_path)
    log = trail.log(segment_days=1, keep_days=3, now=clock)
    log.open()
    for number in range(8):
        log.write([event(number, when=clock().isoformat())])
        clock.pass_days(1)
    log.close()
    report = trail.verify()
    assert report.problems == [] and report.first > 1
    assert report.notes[0] == f"entries 1 to {report.first - 1} are taken away by retention, as signed"
    notes = [each for each in events(trail) if each.get("what") == "pruned"]
    assert notes and notes[-1]["last"] == report.first - 1
    (_, path), *_ = segments(trail.folder)
    path.unlink()
    (problem,) = trail.verify().problems
    assert "and nobody signed their removal" in problem


def test_retention_keeps_a_file_that_was_tampered_with(tmp_path):
    clock, trail = Clock(), Trail(tmp_path)
    trail.filled(10, segment_entries=5, now=clock)
    (_, path), *_ = segments(trail.folder)
    path.write_bytes(path.read_bytes().replace(b"ward-3", b"ward-4", 1))
    clock.pass_days(100)
    trail.filled(12, keep_days=1, now=clock)
    assert path.exists() and trail.verify().problems != []


def test_kill_nine_while_writing_loses_no_entry_that_was_said_to_be_written(tmp_path):
    code = (
        "import sys; from pathlib import Path; from audit_world import Trail, event\n"
        "trail = Trail(Path(sys.argv[1])); log = trail.log(segment_entries=40); log.open(); n = 0\n"
        "while True:\n    log.write([event(n)]); n += 1; print(log.count, flush=True)"
    )
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": path}
    )
    counts = [int(process.stdout.readline()) for _ in range(100)]
    process.kill()
    counts += [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait()
    process.stdout.close()
    trail = Trail(tmp_path)
    report = trail.verify()
    assert report.problems == [] and report.count >= counts[-1]
    trail.filled(report.count + 5)
    assert trail.verify().problems == []
