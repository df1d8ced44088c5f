"""An evaluation killed with SIGKILL at twenty random moments ends with the bytes of one that was left alone.

Once with a model in the process, once with a model behind HTTP: there, no question is asked again after its answer was
written, and none is scored twice.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from chat_server import chat_server, words
from eval_world import build_films, build_model
from osler.core.files import sha256_bytes

pytestmark = pytest.mark.e2e
KILLS = 20
# Forked for each attempt, so that importing torch is paid for once.
SERVER = """
import os, sys
import torch
from osler.cli.main import main
from osler.evaluation import run
from osler.infer.backends import local, remote
torch.set_num_threads(1)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        code = main(["eval", "recipe.yaml", "--out", line.strip(), "--quiet"])
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Attempts:
    """Starts `osler eval recipe.yaml` in children of one process that has imported what they need."""

    def __init__(self, process: subprocess.Popen) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def start(self, out: str) -> int:
        print(out, file=self._in, flush=True)
        return int(self._out.readline())

    def ended(self) -> int:
        return int(self._out.readline())

    def whole(self, out: str) -> None:
        self.start(out)
        assert self.ended() == 0


@contextmanager
def attempts(folder: Path) -> Iterator[Attempts]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        yield Attempts(process)
        assert process.stdin is not None
        process.stdin.close()


def num_lines(out: Path) -> int:
    path = out / "predictions.jsonl"
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def kill_often(run: Attempts, out: Path, *, between: Callable[[random.Random], float]) -> int:
    """Kill a run `KILLS` times, each shortly after it wrote further answers; returns how many kills met it running."""
    draw, kills = random.Random(0), 0
    for number in range(KILLS):
        child = run.start(out.name)
        before, give_up = num_lines(out), time.monotonic() + 60
        # Every fourth is killed while it still reads what is there.
        while number % 4 and num_lines(out) == before and time.monotonic() < give_up:
            time.sleep(0.001)
        time.sleep(between(draw))
        os.kill(child, signal.SIGKILL)
        kills += run.ended() == signal.SIGKILL
    return kills


def same_files(folder: Path) -> dict[str, bool]:
    names = ("predictions.jsonl", "results.json", "subgroups.json", "context.json", "cases.json", "canary.json")
    return {name: (folder / "cut" / name).read_bytes() == (folder / "whole" / name).read_bytes() for name in names}


def write_recipe(folder: Path, **changes: object) -> None:
    recipe = {"data": ["data"], "tasks": ["phantom_closed", "phantom_choice", "phantom_report"], "canary": 16}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe | changes))


def test_twenty_kills_change_nothing_with_a_model_in_the_process(tmp_path: Path) -> None:
    build_films(tmp_path / "data", num_test=24)
    build_model(tmp_path / "model")
    write_recipe(tmp_path, model="model", batch_size=4, tasks=["phantom_closed", "phantom_choice"])
    with attempts(tmp_path) as run:
        run.whole("whole")
        run.whole("twice")
        assert (tmp_path / "twice" / "predictions.jsonl").read_bytes() == (
            tmp_path / "whole" / "predictions.jsonl"
        ).read_bytes()
        assert kill_often(run, tmp_path / "cut", between=lambda draw: draw.uniform(0, 0.02)) == KILLS
        assert not (tmp_path / "cut" / "manifest.json").exists()
        run.whole("cut")
    assert set(same_files(tmp_path).values()) == {True}, same_files(tmp_path)


def test_twenty_kills_change_nothing_and_ask_nothing_twice_behind_http(tmp_path: Path) -> None:
    build_films(tmp_path / "data", num_test=100)
    asked: Counter[str] = Counter()
    lock = threading.Lock()

    def answer(body: dict) -> str:
        digest = sha256_bytes(json.dumps(body["messages"], sort_keys=True).encode())
        with lock:
            asked[digest] += 1
        time.sleep(0.08)
        return "yes" if int(digest, 16) % 2 else f"B. I see {words(body)[:20]}"

    with chat_server(answer) as server:
        endpoints = [{"url": server.url, "model": "toy"}]
        write_recipe(
            tmp_path, endpoints=endpoints, model_name="toy", canary=0, remote={"concurrency": 4}, conditions=["image"]
        )
        with attempts(tmp_path) as run:
            run.whole("whole")
            num_questions = num_lines(tmp_path / "whole")
            once = dict(asked)
            asked.clear()
            assert kill_often(run, tmp_path / "cut", between=lambda draw: draw.uniform(0, 0.03)) == KILLS
            lines = (tmp_path / "cut" / "predictions.jsonl").read_text().splitlines()
            keys = [tuple(map(json.loads(line).get, ("condition", "task", "item_id"))) for line in lines[:-1]]
            written_twice = len(keys) - len(set(keys))
            assert not (tmp_path / "cut" / "manifest.json").exists()
            run.whole("cut")
    assert written_twice == 0
    assert num_lines(tmp_path / "cut") == num_questions == 300
    # Asked again are at most the questions that were under way at a kill; each run first asks the model for one word to
    # see whether it takes an image.
    probes = KILLS + 1
    assert sum(asked.values()) <= sum(once.values()) + probes + 4 * KILLS
    for name in ("predictions.jsonl", "results.json", "subgroups.json", "context.json", "cases.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
