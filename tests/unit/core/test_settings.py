import subprocess
import sys
from pathlib import Path

import pytest

from osler.core.settings import forbid_telemetry, read_settings


def test_defaults(monkeypatch):
    monkeypatch.delenv("OSLER_TEST_DATA", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert read_settings().test_data == Path("../shared/data")
    assert read_settings().offline is False


@pytest.mark.parametrize(("value", "offline"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("", False)])
def test_the_environment_is_read(monkeypatch, value, offline):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    monkeypatch.setenv("OSLER_TEST_DATA", "elsewhere")
    assert read_settings().offline is offline
    assert read_settings().test_data == Path("elsewhere")


def test_torchrun_says_who_this_process_is(monkeypatch):
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    alone = read_settings()
    assert (alone.num_processes, alone.rank, alone.local_rank) == (None, 0, 0)
    for name, value in (("WORLD_SIZE", "4"), ("RANK", "3"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    told = read_settings()
    assert (told.num_processes, told.rank, told.local_rank) == (4, 3, 1)


def test_slurm_says_which_task_this_is(monkeypatch):
    for name in ("ARRAY_TASK_ID", "ARRAY_TASK_COUNT", "ARRAY_TASK_MIN", "ARRAY_TASK_STEP", "PROCID", "NTASKS"):
        monkeypatch.delenv(f"SLURM_{name}", raising=False)
    assert read_settings().slurm is None
    monkeypatch.setenv("SLURM_PROCID", "2")
    monkeypatch.setenv("SLURM_NTASKS", "4")
    assert read_settings().slurm == (2, 4)
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "7")
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "5")
    assert read_settings().slurm == (7, 5)
    monkeypatch.setenv("SLURM_ARRAY_TASK_MIN", "1")
    monkeypatch.setenv("SLURM_ARRAY_TASK_STEP", "2")
    assert read_settings().slurm == (3, 5)


def test_libraries_are_told_to_tell_nobody(monkeypatch):
    for name in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "0")
    forbid_telemetry()
    # Another process, as a library reads them once.
    code = "from huggingface_hub import constants; print(constants.HF_HUB_DISABLE_TELEMETRY)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
