"""Two processes on one contrastive training do what one does: each pair is compared with the pairs of both."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from toy import build_store

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parallel")
    build_store(folder / "store", num_train=12)
    return folder


def trained(folder: Path, loss: str, processes: int) -> Path:
    out = f"{loss}-{processes}"
    recipe = {
        "stage": "contrast", "model": {"dual": "tiny"}, "loss": loss,
        "data": [{"shards": "store", "tasks": {"toy_caption": 1}}],
        "pairs_per_step": 8, "chunk_pairs": 2, "schedule": {"steps": 4, "log_every": 1, "checkpoint_every": 2},
        "parallel": {"engine": "ddp" if processes > 1 else "none"}, "report_to": [],
    }  # fmt: skip
    (folder / f"{out}.yaml").write_text(yaml.safe_dump(recipe))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(torchrun if processes > 1 else []), "-m", "osler.cli.main", "train", f"{out}.yaml"]
    done = subprocess.run(
        [*command, "--out", out], cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / out


def entries(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    names = ("loss", "image_to_text", "text_to_image", "logit_scale", "grad_norm")
    return [{name: line[name] for name in names} for line in lines if "loss" in line]


@pytest.mark.parametrize("loss", ["infonce", "sigmoid"])
def test_two_processes_do_what_one_does(folder: Path, loss: str) -> None:
    one, two = trained(folder, loss, 1), trained(folder, loss, 2)
    for before, after in zip(entries(one), entries(two), strict=True):
        assert after == pytest.approx(before, abs=2e-4, rel=1e-3)
    single, joint = (load_file(out / "model" / "model.safetensors") for out in (one, two))
    for name in single:
        torch.testing.assert_close(joint[name], single[name], atol=3e-3, rtol=0, msg=name)
    biases = [json.loads((out / "model" / "config.json").read_text()).get("logit_bias") for out in (one, two)]
    assert biases[0] == pytest.approx(biases[1], abs=1e-4) if loss == "sigmoid" else biases == [None, None]
    assert json.loads((two / "manifest.json").read_text())["counts"]["processes"] == 2
