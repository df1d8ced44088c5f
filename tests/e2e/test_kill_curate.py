"""A curation killed with SIGKILL at twenty random moments ends with the bytes of one that was left alone.

The moments are drawn over the whole time that an uncut run takes, from reading the rows to writing the card. A run
goes on where the last was cut; where one comes to its end, its folder is compared and the next begins anew.
"""

import os
import random
import secrets
import shutil
import signal
import time
from pathlib import Path

import pytest
from drawn_set import Server, draw_set, outputs, ray_cluster, save, server

pytestmark = pytest.mark.e2e
KILLS = 20
MAX_STARTS = 80
AT_WORK_S = 0.3


def kill_often(started: Server, folder: Path, turns: list[list[str]], *, reference: dict[str, str], seed: int) -> None:
    """Kill the commands in `turns` KILLS times, at moments drawn anew each time, and compare what they leave.

    Every second moment is counted from the first finished shard on, as starting may take most of a command's time.
    """
    draw = random.Random(seed)
    whole_s = [_seconds(started, folder, words, reference) for words in turns]
    kills = met_at_work = 0
    for number in range(MAX_STARTS):
        child = started.start(*turns[number % len(turns)], "--out", "cut")
        if number % 2:
            _wait_for_a_shard(folder / "cut", whole_s[number % len(turns)])
            time.sleep(draw.uniform(0, AT_WORK_S))
        else:
            time.sleep(draw.uniform(0, whole_s[number % len(turns)]))
        os.kill(child, signal.SIGKILL)
        status = started.ended()
        if os.WIFSIGNALED(status):
            kills += 1
            num_shards = len(list((folder / "cut" / "chunks").glob("*.json")))
            met_at_work += 0 < num_shards < len(reference) // 4
            assert not (folder / "cut" / "manifest.json").exists() or outputs(folder / "cut") == reference
        else:
            assert os.waitstatus_to_exitcode(status) == 0
        if kills == KILLS:
            break
        if (folder / "cut" / "manifest.json").exists():
            assert outputs(folder / "cut") == reference
            shutil.rmtree(folder / "cut")
    assert kills == KILLS and met_at_work >= KILLS // 4
    assert started.run(*turns[0], "--out", "cut") == 0
    assert outputs(folder / "cut") == reference
    assert not list((folder / "cut").glob(".[pw]*"))


def _seconds(started: Server, folder: Path, words: list[str], reference: dict[str, str]) -> float:
    """How long an uncut run takes."""
    shutil.rmtree(folder / "warm", ignore_errors=True)
    start = time.monotonic()
    assert started.run(*words, "--out", "warm") == 0
    seconds = time.monotonic() - start
    assert outputs(folder / "warm") == reference
    return seconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kill")
    save(folder / "recipe.yaml", draw_set(folder / "set", num_images=64))
    with server(folder) as started:
        assert started.run("recipe.yaml", "--out", "whole") == 0
    return folder


@pytest.fixture(autouse=True)
def _afresh(folder):
    shutil.rmtree(folder / "cut", ignore_errors=True)


def test_twenty_kills_on_this_machine_change_no_bit(folder):
    """One process and a pool of two take turns: each goes on where the other was cut."""
    with server(folder) as started:
        turns = [["recipe.yaml"], ["recipe.yaml", "num_workers=2"]]
        kill_often(started, folder, turns, reference=outputs(folder / "whole"), seed=0)


def test_twenty_kills_on_ray_change_no_bit(folder):
    """The command is killed; the cluster goes on, and for a moment with it the tasks that were under way."""
    pytest.importorskip("ray")
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with ray_cluster(token) as address, server(folder, **token) as started:
        words = ["recipe.yaml", "num_workers=2", "executor.kind=ray", f"executor.address={address}"]
        kill_often(started, folder, [words], reference=outputs(folder / "whole"), seed=2)


def _wait_for_a_shard(out: Path, at_most_s: float) -> None:
    until = time.monotonic() + at_most_s
    while time.monotonic() < until and not list((out / "chunks").glob("*.json")):
        time.sleep(0.005)
