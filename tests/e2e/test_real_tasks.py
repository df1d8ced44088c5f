"""Real questions over HTTP: a server that fails most of the time leaves the scores of one that never does.

The questions are those of the published files; SLAKE's images are not among the test data, so each gets one of its own.
"""

import json
import random
import shutil
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from chat_server import Fault, chat_server
from osler.cli.main import main
from osler.core.files import sha256_bytes
from osler.core.settings import read_settings

pytestmark = pytest.mark.e2e
DATA = read_settings().test_data
ROOTS = {
    "med_mcqa": DATA / "mirage_raw" / "rawdata" / "medmcqa" / "data",
    "pubmed_qa": DATA / "pubmedqa",
    "vqa_rad": DATA / "vqa_rad",
    "slake": DATA / "slake_text" / "Slake1.0",
}
# dataset, the split that its file holds, the tasks asked
RUNS = [
    ("med_mcqa", "validation", ["med_mcqa"]),
    ("pubmed_qa", "train", ["pubmed_qa"]),
    ("vqa_rad", "test", ["vqa_rad", "vqa_rad_closed"]),
    ("slake", "validation", ["slake_closed", "slake_open"]),
]
TIMEOUT_S = 0.5
FAULTS = (
    Fault(status=500, body="broken"),
    Fault(status=429, body="slow down", headers={"Retry-After": "0"}),
    Fault(cut=True),
    Fault(body='{"choices": ['),
    Fault(body='{"choices": [{"message": {"content": 7}}]}'),
    Fault(body="<html>gateway</html>"),
)


def answer(body) -> str:
    """By a hash of the request: an option, a word, a phrase, or what nobody can read; the same each time."""
    digest = sha256_bytes(json.dumps(body["messages"]).encode())
    said = ("A", "The answer is B.", "yes", "No.", "maybe", "left lung", "", "I cannot say.", "C or D")
    return said[int(digest[:8], 16) % len(said)]


class Faulty:
    """Fails on two of three requests, by turns; every 97th reply comes after the client has given up."""

    def __init__(self) -> None:
        self.lock, self.num, self.draw = threading.Lock(), 0, random.Random(7)
        self.answered: Counter[str] = Counter()

    def __call__(self, body):
        with self.lock:
            self.num += 1
            if self.num % 97 == 0:
                return Fault(wait_s=3 * TIMEOUT_S)
            if self.draw.random() < 2 / 3:
                return self.draw.choice(FAULTS)
            self.answered[json.dumps(body["messages"])] += 1
        return answer(body)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """A function from a dataset and its split to a folder of shards, made when first asked for."""
    folder = tmp_path_factory.mktemp("stores")

    def of(name: str, split: str) -> Path:
        out = folder / name
        if not out.exists():
            root = slake_with_images(folder / "slake_root") if name == "slake" else ROOTS[name]
            recipe = {
                "title": name, "datasets": [{"name": name, "root": str(root), "splits": [split]}],
                "operators": ["drop_missing_image", "drop_broken_image"], "num_workers": 1,
            }  # fmt: skip
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(recipe))
            assert main(["curate", str(folder / f"{name}.yaml"), "--out", str(out), "--quiet"]) == 0
        return out

    return of


def slake_with_images(root: Path) -> Path:
    """The published questions, and for each image a small one of its own."""
    root.mkdir()
    shutil.copy(ROOTS["slake"] / "validate.json", root)
    names = sorted({row["img_name"] for row in json.loads((root / "validate.json").read_text(encoding="utf-8"))})
    for number, name in enumerate(names):
        path = root / "imgs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((16, 16), 20, np.uint8)
        pixels[:8, :8], pixels[8:, 8:] = number % 256, 60 + number // 256
        Image.fromarray(pixels).save(path)
    return root


@pytest.mark.parametrize(("name", "split", "tasks"), RUNS, ids=[name for name, *_ in RUNS])
def test_a_faulty_server_changes_no_score(stores, tmp_path, name, split, tasks):
    if not ROOTS[name].is_dir():
        pytest.skip(f"{ROOTS[name]} is not there")
    data = stores(name, split)

    def ask(server, out, **remote):
        recipe = {
            "endpoints": [{"url": server.url, "model": "toy"}], "model_name": "m", "data": [str(data)], "tasks": tasks,
            "split": split, "canary": 0, "remote": {"concurrency": 8, "first_wait_s": 0.0, **remote},
        }  # fmt: skip
        (tmp_path / f"{out}.yaml").write_text(yaml.safe_dump(recipe))
        assert main(["eval", str(tmp_path / f"{out}.yaml"), "--out", str(tmp_path / out), "--quiet"]) == 0
        return tmp_path / out

    faulty = Faulty()
    with chat_server(answer) as good, chat_server(faulty) as bad:
        whole, hard = ask(good, "whole"), ask(bad, "hard", max_tries=60, timeout_s=TIMEOUT_S)
        num_distinct = len(Counter(json.dumps(body["messages"]) for body in good.requests))
    for file in ("results.json", "subgroups.json", "predictions.jsonl"):
        assert (hard / file).read_bytes() == (whole / file).read_bytes()
    rows = [json.loads(line) for line in (hard / "predictions.jsonl").read_text().splitlines()]
    keys = [(row["condition"], row["task"], row["item_id"]) for row in rows]
    assert len(set(keys)) == len(keys) and {row["status"] for row in rows} <= {"ok", "unparsed", "refused"}
    assert faulty.num > 2 * len(faulty.answered), "the server hardly failed"
    # The request that looks for vision is asked of each server, too.
    assert len(faulty.answered) == num_distinct
    counts = {row["task"]: row["n"] for row in json.loads((hard / "results.json").read_text())}
    asked = Counter(row["task"] for row in rows if row["condition"] == "image")
    assert {task: counts[task] for task in tasks} == dict(asked)
