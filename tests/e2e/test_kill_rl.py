"""Reinforcement killed with SIGKILL at random moments ends with the bytes of a run that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from osler.core.files import sha256_file
from osler.core.log import Log
from osler.train import run as train
from toy import build_store

pytestmark = pytest.mark.e2e
KILLS = 5
STEPS = 24
SERVER = """
import os, sys
import torch
from osler.cli.main import main
from osler.rl import run
torch.set_num_threads(1)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        code = main(["rl", "recipe.yaml", "--out", line.strip(), "--quiet"])
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe for a model that has the form of an answer, taught here from nothing."""
    store = build_store(tmp_path / "store", num_train=6)
    data = [{"shards": str(store.folder), "tasks": {"toy_side": 1, "toy_choice": 1}}]
    stage = {
        "stage": "instruct", "model": {"family": "tiny"}, "data": data, "report_to": [],
        "pack": {"row_tokens": 200, "rows_per_step": 2}, "lm_lr": 5e-3, "projector_lr": 1e-3, "vision_lr": None,
        "schedule": {"steps": 40, "checkpoint_every": 40},
    }  # fmt: skip
    train.run(train.parse(stage), tmp_path / "start", device="cpu", log=Log(quiet=True))
    recipe = {
        "method": "grpo", "model": {"folder": str(tmp_path / "start" / "model")}, "data": data,
        "eval_data": [{"shards": str(store.folder), "split": "test", "tasks": {"toy_side": 1}}],
        "rewards": {"answer_correct": 1.0, "format": 0.2}, "num_prompts": 8,
        "rollout": {"prompts_per_step": 2, "replies_per_prompt": 2, "max_new_tokens": 8},
        "schedule": {
            "steps": STEPS, "log_every": 3, "checkpoint_every": 2, "eval_every": 2, "eval_rows": 2,
            "keep_best": {"metric": "eval_accuracy", "mode": "max"},
        },
        "lm_lr": 1e-3, "projector_lr": 1e-3,
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return tmp_path


def rewards(out: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [
        (line["step"], line.get("reward", line.get("eval_reward"))) for line in lines if "train_runtime" not in line
    ]


def newest(out: Path) -> str:
    steps = [int(path.name.rpartition("-")[2]) for path in (out / "checkpoints").glob("checkpoint-*")]
    return f"checkpoint-{max(steps)}" if steps else ""


def test_kills_change_no_bit(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as server:  # fmt: skip
        assert server.stdin is not None and server.stdout is not None

        def start(out: str) -> int:
            print(out, file=server.stdin, flush=True)
            return int(server.stdout.readline())

        def ended() -> int:
            return int(server.stdout.readline())

        start("whole")
        assert ended() == 0
        draw = random.Random(0)
        for number in range(KILLS):
            child = start("cut")
            before = newest(folder / "cut")
            give_up = time.monotonic() + 60
            while newest(folder / "cut") == before and time.monotonic() < give_up:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.05 if number % 2 else 0.3))
            os.kill(child, signal.SIGKILL)
            assert ended() == signal.SIGKILL
        assert not (folder / "cut" / "manifest.json").exists()
        start("cut")
        assert ended() == 0
        server.stdin.close()
    assert rewards(folder / "whole") == rewards(folder / "cut")
    weights = [sha256_file(folder / out / "model" / "model.safetensors") for out in ("whole", "cut")]
    assert weights[0] == weights[1]
