"""A curation that asks a model: killed, out of budget, with its server down. It goes on and asks nothing twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from chat_server import Fault, chat_server, words
from osler.curate.asking.record import read_asked
from osler.media.image import encode_png8

YES, NO = ('{"relevant": true, "reason": "a film"}', '{"relevant": false, "reason": "a chart"}')
NUM = 12
MATCH = {"alignment_type": "", "alignment_score": 0.9}
WAIT_S = 300


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "pmc_oa" / "caption_T060_filtered_top4_sep_v0_subfigures"
    folder.mkdir(parents=True)
    rows = [{"image": f"PMC{n}_Fig1_0.jpg", "caption": f"Figure number {n} of all.", **MATCH} for n in range(NUM)]
    for n, row in enumerate(rows):
        (folder / row["image"]).write_bytes(encode_png8(np.full((20, 20), 10 * n, np.uint8)))
    (tmp_path / "pmc_oa" / "pmc_oa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "pmc_oa"


def start(tmp_path: Path, root: Path, url: str, out: str, **endpoint) -> subprocess.Popen:
    asked = {"url": url, "model": "toy", "concurrency": 1, "max_tries": 1, "timeout_s": 60, **endpoint}
    recipe = {
        "datasets": [{"name": "pmc_oa", "root": str(root), "agreement": {"research": "drawn for this test"}}],
        "operators": [{"judge_relevance": {"endpoint": asked}}],
        "shard_records": 3,
        "num_workers": 2,
    }
    (tmp_path / f"{out}.yaml").write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-m", "osler.cli.main", "curate", str(tmp_path / f"{out}.yaml")]
    environment = {**os.environ, "OSLER_API_KEY": "secret-canary"}
    return subprocess.Popen(
        [*command, "--out", str(tmp_path / out)], env=environment, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen) -> str:
    said = process.communicate(timeout=WAIT_S)[1]
    assert "secret-canary" not in said
    return said


def answer(body):
    return NO if "number 5 " in words(body) else YES


def outputs(out: Path) -> dict[str, bytes]:
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(out).parts)]
    passing = {"started.json", "manifest.json", "recipe.yaml"}
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in shown if path.name not in passing}


def test_a_killed_run_goes_on_without_asking_twice_and_ends_the_same(tmp_path, root):
    with chat_server(lambda body: Fault(body=reply(answer(body)))) as server:
        whole = start(tmp_path, root, server.url, "whole")
        assert "11 samples in 11 records, 1 dropped" in finish(whole) and whole.returncode == 0
        assert len(server.requests) == NUM
    with chat_server(lambda body: Fault(wait_s=0.1, body=reply(answer(body)))) as server:
        killed = start(tmp_path, root, server.url, "killed")
        until = time.monotonic() + WAIT_S
        while len(server.requests) < 5 and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate(timeout=WAIT_S)
        time.sleep(1)
        again = start(tmp_path, root, server.url, "killed")
        assert "1 dropped" in finish(again) and again.returncode == 0
        asked = Counter(server.texts())
        assert len(asked) == NUM and max(asked.values()) <= 2
        assert sum(asked.values()) <= NUM + 2, "only what was on its way to one of two workers at the kill"
    whole_files, killed_files = outputs(tmp_path / "whole"), outputs(tmp_path / "killed")
    assert whole_files.keys() == killed_files.keys()
    # The address of the server is an option, and the fingerprint of a shard holds it.
    differ = [name for name in whole_files if whole_files[name] != killed_files[name]]
    assert all(name.startswith("chunks/") for name in differ), differ
    assert len(read_asked(tmp_path / "killed")) == NUM
    drops = pq.read_table(tmp_path / "killed" / "drops.parquet").to_pylist()
    assert [(d["id"], d["reason"]) for d in drops] == [("pmc_oa/train/000005", "not clinically relevant: a chart")]
    everything = b"".join(path.read_bytes() for path in (tmp_path / "killed").rglob("*") if path.is_file())
    assert b"secret-canary" not in everything


def test_a_spent_budget_pauses_all_workers_and_each_start_goes_on(tmp_path, root):
    with chat_server(answer) as server:
        codes = []
        for _ in range(NUM):
            process = start(tmp_path, root, server.url, "out", max_tokens=2000)
            said = finish(process)
            codes.append(process.returncode)
            if process.returncode == 0:
                break
            assert "paused: " in said and "run the same command again" in said and "2,000 tokens is used up" in said
        assert codes[-1] == 0 and 1 in codes and len(codes) < NUM
        assert len(server.requests) == NUM and max(Counter(server.texts()).values()) == 1


def test_a_server_that_is_down_pauses_the_run(tmp_path, root):
    process = start(tmp_path, root, "http://127.0.0.1:9/v1", "out")
    said = finish(process)
    assert process.returncode == 1 and "paused: no answer about pmc_oa/train/0" in said and "cannot reach" in said
    assert "Traceback" not in said


def reply(text: str) -> str:
    return json.dumps({"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 9}})
