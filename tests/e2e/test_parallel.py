"""Two processes on one training: each engine's losses equal one process's, and what it leaves behind is whole."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from osler.model.checkpoint import load
from toy import build_store

pytestmark = pytest.mark.e2e
STEPS = 4
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="deepspeed is not installed (extra `deepspeed`)"
)
ENGINES = ["ddp", "fsdp2", pytest.param("zero3", marks=needs_deepspeed)]
# What one process does with the rows of each engine's run. With `store`, the first step holds text alone, which leaves
# the tower as it was; DeepSpeed's optimizer cannot leave anything out, so its steps all hold an image.
ALONE = {"ddp": "one", "fsdp2": "one", "zero3": "one-mixed"}
DATA = {"ddp": (), "fsdp2": (), "zero3": ("data=[{shards: mixed}]",)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose rows are partly text alone, a recipe of two rows a step, and one process's result."""
    folder = tmp_path_factory.mktemp("parallel")
    build_store(folder / "store", num_train=6, text_only=6)
    build_store(folder / "mixed", num_train=12, text_only=2)
    recipe = {
        "stage": "instruct",
        "model": {"family": "tiny"},
        "data": [{"shards": "store"}],
        "eval_data": [{"shards": "store", "split": "test"}],
        "pack": {"row_tokens": 100, "rows_per_step": 2},
        "schedule": {
            "steps": STEPS, "gradient_accumulation": 2, "log_every": 1, "checkpoint_every": 2, "eval_every": 2,
            "eval_rows": 4, "warmup_ratio": 0.25, "keep_best": {"metric": "eval_loss", "mode": "min"},
            "router_aux_coef": 0.1,
        },
        "vision_lr": 1e-3, "projector_lr": 1e-3, "lm_lr": 1e-3,
    }  # fmt: skip
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def alone(folder: Path, engine: str) -> Path:
    """One process's result on the engine's data, made once."""
    out = folder / ALONE[engine]
    done = osler(folder, out.name, *DATA[engine])
    assert done.returncode == 0, done.stderr
    return out


def shared(folder: Path, engine: str) -> Path:
    """Two processes' result, made once."""
    out = folder / engine
    done = osler(folder, out.name, f"parallel.engine={engine}", *DATA[engine], processes=2)
    assert done.returncode == 0, done.stderr
    return out


def command(out: str, *overrides: str, processes: int = 0) -> list[str]:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes else []
    return [sys.executable, *torchrun, "-m", "osler.cli.main", "train", "recipe.yaml", *overrides, "--out", out]


def environment() -> dict[str, str]:
    """A machine without an accelerator is what these tests are about."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}


def osler(folder: Path, out: str, *overrides: str, processes: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(out, *overrides, processes=processes),
        cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def metrics(out: Path, *names: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [
        {name: line[name] for name in names if name in line} for line in lines if "loss" in line or "eval_loss" in line
    ]


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "model" / "model.safetensors")


@pytest.mark.parametrize("engine", ENGINES)
def test_two_processes_do_what_one_does(folder: Path, engine: str) -> None:
    first, second = alone(folder, engine), shared(folder, engine)
    names = ("loss", "eval_loss", "aux_loss", "learning_rate", "tokens", "tiles", "grad_norm", "step")
    one, two = metrics(first, *names), metrics(second, *names)
    assert len(one) == STEPS + STEPS // 2
    for before, after in zip(one, two, strict=True):
        assert after == pytest.approx(before, abs=1e-4, rel=1e-3)
        assert after.get("loss") == pytest.approx(before.get("loss"), abs=1e-4)
    single, joint = weights(first), weights(second)
    assert single.keys() == joint.keys()
    for name in single:
        torch.testing.assert_close(joint[name], single[name], atol=5e-3, rtol=0, msg=name)
    model, _ = load(folder / engine / "model")
    assert type(model).__name__ == model.config.architectures[0] == "OslerForConditionalGeneration"
    assert json.loads((folder / engine / "manifest.json").read_text())["counts"]["processes"] == 2
    again = osler(folder, engine, f"parallel.engine={engine}", *DATA[engine], processes=2)
    assert (again.returncode, "already finished" in again.stderr) == (0, True)


@pytest.mark.parametrize("engine", ENGINES)
def test_two_killed_processes_go_on_to_the_same_weights(folder: Path, engine: str) -> None:
    out = folder / f"{engine}-cut"
    process = subprocess.Popen(
        command(out.name, f"parallel.engine={engine}", *DATA[engine], processes=2),
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while process.poll() is None and not (out / "checkpoints" / "checkpoint-2" / "whole.json").is_file():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.json").exists()
    done = osler(folder, out.name, f"parallel.engine={engine}", *DATA[engine], processes=2)
    assert done.returncode == 0, done.stderr
    unkilled = shared(folder, engine)
    whole, cut = weights(unkilled), weights(out)
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert metrics(unkilled, "loss", "eval_loss", "step") == metrics(out, "loss", "eval_loss", "step")


@pytest.mark.parametrize(
    ("processes", "overrides", "message"),
    [
        (2, (), "the recipe's parallel.engine is none"),
        (0, ("parallel.engine=fsdp2",), "torchrun did not start this process"),
        (2, ("parallel.engine=ddp", "pack.rows_per_step=3"), "3 rows a step cannot be shared evenly by 2"),
    ],
)
def test_what_would_run_otherwise_is_refused(
    folder: Path, processes: int, overrides: tuple[str, ...], message: str
) -> None:
    done = osler(folder, f"refused-{processes}-{len(overrides)}", *overrides, processes=processes)
    assert done.returncode != 0
    assert message in done.stderr
