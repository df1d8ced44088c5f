"""The builder of reasoning sets on real articles, through the command line: killed at any step, it never asks twice."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from chat_server import chat_server
from osler.store.reader import Store
from osler.synth.reasoning.quotes import find_quote
from reasoning_world import ScriptedModel, curated

WAIT_S = 300
NOWHERE = "four words that it lacks"


@pytest.fixture(scope="module")
def store(test_data, tmp_path_factory) -> Path:
    root = test_data / "jats_texture_dar"
    if not root.is_dir():
        pytest.skip(f"no {root}")
    return curated(root, tmp_path_factory.mktemp("real") / "store")


def start(tmp_path: Path, store: Path, url: str, out: str, **more) -> subprocess.Popen:
    endpoint = {"url": url, "model": "toy", "concurrency": 1, "max_tries": 2, "timeout_s": 60}
    recipe = {
        "generator": "reasoning",
        "stores": [str(store)],
        "splits": {"train": 0.0, "test": 1.0},
        "piece_figures": 2,
        "roles": {"default": endpoint},
        "agreement": "the file states no licence; its publisher is known to use CC BY 4.0",
        **more,
    }
    (tmp_path / f"{out}.yaml").write_text(yaml.safe_dump(recipe))
    command = [sys.executable, "-m", "osler.cli.main", "synth", str(tmp_path / f"{out}.yaml")]
    environment = {**os.environ, "OSLER_API_KEY": "secret-canary"}
    return subprocess.Popen(
        [*command, "--out", str(tmp_path / out)], env=environment, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen) -> str:
    said = process.communicate(timeout=WAIT_S)[1]
    assert "secret-canary" not in said and "Traceback" not in said
    return said


def outputs(out: Path) -> dict[str, bytes]:
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(out).parts)]
    passing = {"started.json", "manifest.json", "recipe.yaml"}
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in shown if path.name not in passing}


def test_real_articles_become_samples_whose_quotes_occur_in_them(tmp_path, store):
    planted = ScriptedModel()
    with chat_server(planted) as server:
        process = start(tmp_path, store, server.url, "out")
        assert "5 samples about 5 of 9 figures, 4 dropped" in finish(process) and process.returncode == 0
    made = Store(tmp_path / "out")
    source = Store(store)
    texts = {
        sample.id: "\n".join((sample.answer.text, *(mention.text for mention in sample.mentions)))
        for record in source.records("train")
        for sample in record.samples
    }
    rows = pq.read_table(tmp_path / "out" / "evidence" / "test-00000.parquet").to_pylist()
    assert len(rows) == 5 and made.splits() == ["test"]
    for row in rows:
        assert len(row["quotes"]) >= 4
        assert all(find_quote(quote["quote"], texts[row["id"].partition("#q-")[0]]) for quote in row["quotes"])
    drops = pq.read_table(tmp_path / "out" / "drops.parquet").to_pylist()
    assert {row["reason"].partition(":")[0] for row in drops} == {"too little text"}


def test_a_made_up_quote_from_a_real_article_is_found_out(tmp_path, store):
    class Inventor(ScriptedModel):
        def _support(self, text, mark):
            return {"supported": True, "quote": NOWHERE, "reason": "surely"}

    with chat_server(Inventor()) as server:
        process = start(tmp_path, store, server.url, "out")
        assert "0 samples about 0 of 9 figures, 9 dropped" in finish(process) and process.returncode == 0
    drops = pq.read_table(tmp_path / "out" / "drops.parquet").to_pylist()
    assert Counter(row["rule"] for row in drops) == {"support": 5, "source": 4}


def test_articles_without_a_licence_are_left_out_and_counted(tmp_path, store):
    model = ScriptedModel()
    with chat_server(model) as server:
        process = start(tmp_path, store, server.url, "out", agreement="")
        said = finish(process)
    assert "0 samples" in said and "warning: no sample was accepted" in said and not model.asked
    drops = pq.read_table(tmp_path / "out" / "drops.parquet").to_pylist()
    assert Counter(row["reason"] for row in drops)["licence NOASSERTION is not known to permit anything"] == 5


@pytest.fixture(scope="module")
def whole(store, tmp_path_factory) -> tuple[dict[str, bytes], int]:
    """The files of a run that nothing disturbed, and how many questions it asked."""
    folder, model = tmp_path_factory.mktemp("whole"), ScriptedModel()
    with chat_server(model) as server:
        finish(start(folder, store, server.url, "whole"))
    return outputs(folder / "whole"), len(model.asked)


@pytest.mark.parametrize("at", [3, 17, 66])
def test_a_killed_run_goes_on_without_asking_any_question_twice(tmp_path, store, whole, at):
    whole_files, num_asked = whole
    model, reached, may_go = ScriptedModel(), threading.Event(), threading.Event()
    answered: Counter[str] = Counter()

    def answer(body):
        given = model(body)
        if len(model.asked) == at:
            reached.set()
            may_go.wait(WAIT_S)
        answered[yaml.safe_dump(body)] += 1
        return given

    with chat_server(answer) as server:
        killed = start(tmp_path, store, server.url, "killed")
        assert reached.wait(WAIT_S)
        answered_before = Counter(answered)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate(timeout=WAIT_S)
        may_go.set()
        again = start(tmp_path, store, server.url, "killed")
        assert "5 samples" in finish(again) and again.returncode == 0
    assert all(answered[question] == 1 for question in answered_before), "no answer that came is asked for again"
    assert len(model.asked) == num_asked + 1, "only the question that was on its way at the kill"
    assert outputs(tmp_path / "killed") == whole_files
    everything = b"".join(path.read_bytes() for path in (tmp_path / "killed").rglob("*") if path.is_file())
    assert b"secret-canary" not in everything


def test_the_budget_may_be_raised_when_a_run_goes_on(tmp_path, store):
    with chat_server(ScriptedModel()) as server:
        first = start(tmp_path, store, server.url, "out", budget={"max_tokens": 9000})
        said = finish(first)
        assert first.returncode == 1 and "paused: " in said and "run the same command again" in said
        second = start(tmp_path, store, server.url, "out", budget={"max_tokens": 10_000_000})
        assert "5 samples" in finish(second) and second.returncode == 0
