"""Clean and flagged subsets: their scores, their counts, and that `osler score` gives them again."""

import json
import sys
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from osler.core.errors import InputError
from osler.core.log import Log
from osler.evaluation import run as evaluate
from osler.evaluation import score
from osler.infer.generator import Request
from osler.store.shards import Store

QUIET = Log(quiet=True)


def write_flags(folder, data, flagged, *, without: str = ""):
    folder.mkdir(exist_ok=True)
    ids = [i for i in Store(data).table("test")["sample_id"].to_pylist() if i != without]
    verdicts = ["flagged" if flagged(i) else "doubtful" if "-7-" in i else "clean" for i in ids]
    pq.write_table(pa.table({"id": ids, "verdict": verdicts}), folder / "flags.parquet")
    return str(folder)


@pytest.fixture
def go(tmp_path, data, monkeypatch, fake):
    """Evaluate a model that knows the answers about flagged patients and says no to all others."""
    model = tmp_path / "model"
    model.mkdir()

    def run(**changes):
        recipe = {"model": str(model), "data": [str(data)], "tasks": ["phantom_closed"], "backend": "lab.fake"}
        engine = SimpleNamespace(BACKEND=lambda model, device: fake(says))
        monkeypatch.setitem(sys.modules, "lab.fake", engine)
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        evaluate.run(evaluate.parse({**recipe, **changes}), out, device="cpu", log=QUIET)
        return out

    return run


def says(request: Request) -> str:
    known = {"test-1-", "test-2-"}
    wide = "wide" in request.turns[-1].text and bool(request.images)
    return "yes" if wide and any(mark in request.item_id for mark in known) else "no"


def rows(out) -> dict[str, dict]:
    return {row["task"]: row for row in json.loads((out / "results.json").read_text())}


def test_scores_are_given_on_the_clean_and_on_the_flagged(go, tmp_path, data):
    flags = write_flags(tmp_path / "flags", data, lambda id: "-1-" in id[:7] or "-2-" in id[:7])
    out = go(contamination=flags)
    found = rows(out)
    assert list(found) == ["phantom_closed", "phantom_closed[clean]", "phantom_closed[flagged]"]
    whole, clean, flagged = found.values()
    assert clean["n"] + flagged["n"] == whole["n"] and flagged["n"] > 0 and clean["n"] > 0
    assert flagged["value"] > clean["value"] and clean["ci_low"] is not None
    assert clean["dataset_ids_sha256"] != flagged["dataset_ids_sha256"] != whole["dataset_ids_sha256"]
    assert any("checked against the training data" in note and "doubtful" in note for note in whole["notes"])
    again = tmp_path / "again"
    again.mkdir()
    score.run(score.parse({"predictions": str(out / "predictions.jsonl")}), again, device="cpu", log=QUIET)
    assert rows(again) == found


def test_without_a_check_there_is_one_row(go):
    assert list(rows(go())) == ["phantom_closed"]


def test_all_items_clean_gives_no_flagged_row(go, tmp_path, data):
    ids = Store(data).table("test")["sample_id"].to_pylist()
    (tmp_path / "flags").mkdir()
    pq.write_table(pa.table({"id": ids, "verdict": ["clean"] * len(ids)}), tmp_path / "flags" / "flags.parquet")
    assert list(rows(go(contamination=str(tmp_path / "flags")))) == ["phantom_closed", "phantom_closed[clean]"]


def test_a_check_of_other_items_is_refused(go, tmp_path, data):
    one = Store(data).table("test")["sample_id"].to_pylist()[0]
    flags = write_flags(tmp_path / "flags", data, lambda id: False, without=one)
    with pytest.raises(InputError, match="says nothing of 1 items of task 'phantom_closed'.*Run osler curate check"):
        go(contamination=flags)


def test_a_folder_of_something_else_is_refused(go, tmp_path):
    (tmp_path / "flags").mkdir()
    with pytest.raises(InputError, match="cannot read"):
        go(contamination=str(tmp_path / "flags"))
    (tmp_path / "flags" / "flags.parquet").write_bytes(b"text")
    with pytest.raises(InputError, match="holds no verdicts"):
        go(contamination=str(tmp_path / "flags"))
