"""Work apart: its answers, and each way in which it can go wrong."""

import os
import time
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.core.sandbox import Bounds, Sandbox, SandboxError

HERE = "test_sandbox_work:start"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "test_sandbox_work.py").write_text(WORK, encoding="utf-8")
    import sys

    sys.path.insert(0, str(folder))
    box = Sandbox(HERE, {"greeting": "hello"}, Bounds(timeout_s=1.0, memory_mb=128))
    yield box
    box.close()
    sys.path.remove(str(folder))


WORK = """
import os, time

def start(options):
    if options == "missing":
        from osler.core.errors import InputError
        raise InputError("the package 'x' is missing", fix="pip install x")

    def work(value, blobs):
        if value == "sleep":
            time.sleep(30)
        if value == "memory":
            return len(bytes(1 << 30)), []
        if value == "die":
            os._exit(3)
        if value == "raise":
            raise ValueError("Jane Doe")
        if value == "write":
            with open(blobs[0].decode(), "wb") as file:
                file.write(b"x")
        if value == "forget":
            return {"pid": os.getpid()}, []
        return [options["greeting"], value], [blob[::-1] for blob in blobs]

    return work
"""


def test_values_and_blobs_come_back(box):
    value, blobs = box.run({"a": [1, "ü"]}, [b"abc", b"", bytes(3 << 20)])
    assert value == ["hello", {"a": [1, "ü"]}]
    assert blobs[:2] == [b"cba", b""] and len(blobs[2]) == 3 << 20


@pytest.mark.parametrize(("order", "kind"), [("memory", "memory"), ("die", "crash"), ("raise", "error")])
def test_what_goes_wrong_is_named_and_the_next_work_is_done(box, order, kind):
    with pytest.raises(SandboxError) as failed:
        box.run(order)
    assert failed.value.kind == kind and "Jane" not in str(failed.value)
    assert box.run(1)[0] == ["hello", 1]


def test_work_that_takes_too_long_is_ended(box):
    box.start()
    pid, begun = box.pid, time.monotonic()
    with pytest.raises(SandboxError, match="time"):
        box.run("sleep")
    assert time.monotonic() - begun < 2.5
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert box.run(1)[0] == ["hello", 1]


def test_nothing_is_written(box, tmp_path):
    with pytest.raises(SandboxError):
        box.run("write", [str(tmp_path / "x").encode()])
    assert not (tmp_path / "x").exists() or (tmp_path / "x").stat().st_size == 0
    assert box.run(1)[0] == ["hello", 1]


def test_one_process_serves_many_calls(box):
    assert box.run("forget") == box.run("forget")


def test_what_cannot_be_loaded_is_said(box):
    with pytest.raises(SandboxError, match="start ModuleNotFoundError"):
        Sandbox("no.such.module:start").start()
    with pytest.raises(InputError, match="'x' is missing.*pip install x"):
        Sandbox(HERE, "missing").start()


def test_a_closed_one_does_no_work(box):
    other = Sandbox(HERE, {"greeting": "bye"})
    assert other.run(2)[0] == ["bye", 2]
    pid = other.pid
    other.close()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(SandboxError, match="closed"):
        other.run(1)
