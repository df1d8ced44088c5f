"""Tasks that are not at hand, lists that are not whole, and published scores beside ours, through a whole run."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from osler.core.errors import InputError
from osler.core.log import Log
from osler.evaluation import run as evaluate
from osler.evaluation import score
from osler.schema.sample import Provenance, Sample, choice, closed, user
from osler.store.record import stored_record
from osler.store.shards import write_shard

PUBLISHED = {"metric": "choice_accuracy", "value": 0.7259, "model": "Other", "source": "a paper", "n": 1395}


def text_sample(dataset: str, number: int) -> Sample:
    kinds = {"mmlu_med": choice("b", ("a", "b")), "pubmed_qa": closed("yes", ("yes", "no", "maybe"))}
    return Sample(
        id=f"{dataset}/test/{number}",
        turns=(user(f"Question {number}?\nA. a\nB. b"),),
        answer=kinds[dataset],
        task="choice_qa",
        tags=("subjects:6", "subjects:7") if number < 3 else ("subjects:7",),
        provenance=Provenance(dataset=dataset, record_id=str(number), licence="MIT"),
    )


@pytest.fixture
def start(tmp_path, monkeypatch, fake):
    """Run a recipe over five items of MMLU; returns results by task and metric."""
    data = tmp_path / "data"
    records = [stored_record(f"r{n}", [text_sample("mmlu_med", n)], {}) for n in range(5)]
    write_shard(data, "test", 0, records=records, estimate=lambda sample: (8, 0))
    (tmp_path / "model").mkdir()
    monkeypatch.setenv("OSLER_DATA", str(tmp_path / "published"))

    def go(out="out", **changes) -> dict:
        backend = fake(lambda request: "B")
        monkeypatch.setitem(sys.modules, "lab.fake", SimpleNamespace(BACKEND=lambda model, device: backend))
        recipe = {"model": str(tmp_path / "model"), "data": [str(data)], "backend": "lab.fake", "canary": 0, **changes}
        folder = tmp_path / out
        folder.mkdir(exist_ok=True)
        go.outcome = evaluate.run(evaluate.parse(recipe), folder, device="cpu", log=Log(quiet=True))
        return read(folder)

    go.folder = tmp_path
    return go


def read(folder: Path) -> dict:
    return {(row["task"], row["metric"]): row for row in json.loads((folder / "results.json").read_text())}


def test_a_part_of_a_list_is_refused_and_permitted_with_a_stamp(start):
    with pytest.raises(InputError, match="5 of 1395 items"):
        start(tasks=["mmlu_med_7"])
    row = start(tasks=["mmlu_med_7"], partial=True)["mmlu_med_7", "choice_accuracy"]
    assert (row["items"], row["value"], row["n"]) == ("partial", 1.0, 5)
    assert "items: partial, 5 of 1395 items" in row["notes"]
    assert row["prompt"].startswith("letter/1#")


def test_without_the_added_words_the_prompt_is_the_stored_one(start):
    rows = start(tasks=["mmlu_med_6"], partial=True, suffixes=False)
    row = rows["mmlu_med_6", "choice_accuracy"]
    assert row["prompt"].startswith("as_stored/1#") and row["n"] == 3


def test_what_is_not_at_hand_is_refused_or_reported_with_the_way_to_get_it(start):
    tasks = ["mmlu_med_7", "pubmed_qa", "mimic_impression", "vqa_med_2019"]
    with pytest.raises(InputError, match="no sample for task 'pubmed_qa'"):
        start(tasks=tasks, partial=True)
    rows = start(tasks=tasks, partial=True, absent="report")
    assert [row["value"] for (task, _), row in rows.items() if task != "mmlu_med_7"] == [None] * (len(rows) - 1)
    notes = {task: row["notes"] for (task, _), row in rows.items()}
    assert notes["pubmed_qa"] == [
        "not at hand: no data folder holds pubmed_qa/test; `osler curate` fetches it from the hub (qiaojin/PubMedQA), "
        "`osler show pubmed_qa` tells terms and layout"
    ]
    assert "on request: `osler show mimic_cxr_longitudinal`" in notes["mimic_impression"][0]
    assert "`osler show vqa_med_2019` tells where it is published" in notes["vqa_med_2019"][0]
    assert [task for task, _ in rows][0] == "mmlu_med_7" and "3 tasks are not at hand" in start.outcome.message


def test_published_files_that_nobody_curated_are_said_to_be_there(start, tmp_path):
    published = tmp_path / "published" / "vqa_med_2019" / "VQAMed2019Test"
    published.mkdir(parents=True)
    (published / "VQAMed2019_Test_Questions_w_Ref_Answers.txt").write_text("a|plane|b?|c\n")
    rows = start(tasks=["vqa_med_2019"], absent="report")
    assert {row["value"] for row in rows.values()} == {None}
    assert "`osler curate` makes items of them" in rows["vqa_med_2019", "exact_match"]["notes"][0]


def test_other_splits_that_are_there_are_no_way_to_get_this_one(start, tmp_path):
    published = tmp_path / "published" / "slake"
    published.mkdir(parents=True)
    (published / "validate.json").write_text("[]")
    rows = start(tasks=["slake_closed"], absent="report")
    assert "holds other splits of it: `osler show slake root=" in rows["slake_closed", "closed_accuracy"]["notes"][0]


def test_data_folders_may_be_absent_but_not_all(start, tmp_path):
    both = {"data": [str(tmp_path / "data"), str(tmp_path / "nowhere")], "tasks": ["mmlu_med_7"], "partial": True}
    with pytest.raises(InputError, match="nowhere"):
        start(**both)
    assert start(**both, absent="report")["mmlu_med_7", "choice_accuracy"]["n"] == 5
    with pytest.raises(InputError, match="none of the data folders is there"):
        start(**{**both, "data": [str(tmp_path / "nowhere")]}, absent="report")


def test_published_scores_stand_beside_ours_also_after_rescoring(start, tmp_path):
    published = {"mmlu_med_7": [PUBLISHED], "pubmed_qa": [{**PUBLISHED, "metric": "closed_accuracy", "n": 500}]}
    rows = start(tasks=["mmlu_med_7", "pubmed_qa"], partial=True, absent="report", published=published)
    beside = rows["mmlu_med_7", "choice_accuracy"]["published"]
    assert beside == [{**PUBLISHED, "note": ""}]
    assert rows["mmlu_med_7", "choice_accuracy"]["value"] == 1.0
    assert rows["pubmed_qa", "closed_accuracy"]["published"][0]["n"] == 500
    assert rows["pubmed_qa", "choice_accuracy"]["published"] == []
    (tmp_path / "again").mkdir()
    recipe = {"predictions": str(tmp_path / "out" / "predictions.jsonl")}
    score.run(score.parse(recipe), tmp_path / "again", device="cpu", log=Log(quiet=True))
    assert read(tmp_path / "again") == rows


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": "exact_match"}, "the task has no metric 'exact_match'"),
        ({"value": 72.59}, "choice_accuracy cannot be 72.59.*Write a percentage as a fraction"),
        ({"value": "high"}, "published"),
    ],
)
def test_a_published_score_that_cannot_be_is_refused(start, changes, message):
    with pytest.raises(InputError, match=message):
        start(tasks=["mmlu_med_7"], published={"mmlu_med_7": [{**PUBLISHED, **changes}]})


def test_a_published_score_of_a_task_that_is_not_asked_is_refused(start):
    with pytest.raises(InputError, match="'mmlu_med_6', which is not asked.*Did you mean 'mmlu_med_7'"):
        start(tasks=["mmlu_med_7"], published={"mmlu_med_6": [PUBLISHED]})
