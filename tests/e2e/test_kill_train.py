"""A training killed with SIGKILL at twenty random moments ends with the bytes of one that was left alone.

The kills come in a chain: each process goes on where the last was cut. Half are drawn over the whole of a step's
time, half fall right after a checkpoint's first file appears, while the rest of it is being written.
"""

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
from toy import build_store

pytestmark = pytest.mark.e2e
KILLS = 20
STEPS = 60
# Forked for each attempt, so that importing torch is paid for once.
SERVER = """
import os, sys
from pathlib import Path
import torch
from osler.cli.main import main
from osler.train import run
torch.set_num_threads(1)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        code = main(["train", "recipe.yaml", "--out", line.strip(), "--quiet"])
        sys.stderr.flush()
        os._exit(code)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


RECIPES = {
    "instruct": {
        "stage": "instruct",
        "model": {"family": "tiny"},
        "data": [{"shards": "store"}],
        "eval_data": [{"shards": "store", "split": "test"}],
        "pack": {"row_tokens": 100, "rows_per_step": 1},
        "schedule": {
            "steps": STEPS, "log_every": 3, "checkpoint_every": 2, "eval_every": 2, "eval_rows": 1,
            "keep_best": {"metric": "eval_loss", "mode": "min"}, "early_stop": {"patience": STEPS},
        },
    },
    "contrast": {
        "stage": "contrast",
        "model": {"dual": "tiny"},
        "data": [{"shards": "store"}],
        "texts": ["answer"],
        "pairs_per_step": 4,
        "chunk_pairs": 2,
        "schedule": {"steps": STEPS, "log_every": 3, "checkpoint_every": 2},
    },
}  # fmt: skip


@pytest.fixture(params=RECIPES)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    build_store(tmp_path / "store", num_train=6, text_only=2)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPES[request.param]))
    return tmp_path


def losses(out: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line.get("loss", line.get("eval_loss"))) for line in lines if "train_runtime" not in line]


def newest(out: Path) -> str:
    steps = [int(path.name.rpartition("-")[2]) for path in (out / "checkpoints").glob("checkpoint-*")]
    return f"checkpoint-{max(steps)}" if steps else ""


def test_twenty_kills_change_no_bit(folder: Path) -> None:
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
        kills = 0
        for number in range(KILLS):
            child = start("cut")
            before = newest(folder / "cut")
            give_up = time.monotonic() + 60
            while newest(folder / "cut") == before and time.monotonic() < give_up:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.05 if number % 2 else 0.3))
            os.kill(child, signal.SIGKILL)
            kills += ended() == signal.SIGKILL
        assert kills == KILLS
        assert not (folder / "cut" / "manifest.json").exists()
        start("cut")
        assert ended() == 0
        server.stdin.close()
    assert losses(folder / "whole") == losses(folder / "cut")
    weights = [sha256_file(folder / out / "model" / "model.safetensors") for out in ("whole", "cut")]
    assert weights[0] == weights[1]
