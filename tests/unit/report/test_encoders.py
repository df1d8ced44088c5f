import json
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.core.files import write_json
from osler.core.log import Log
from osler.report import run as report
from osler.scoring.encoders.compare import compare_encoders
from osler.scoring.encoders.measured import measured
from osler.scoring.encoders.results import encoder_results
from osler.scoring.encoders.runs import FOLDER, write_run
from transfer_world import made_up_runs


def folder(path: Path, runs, *, protocol: str = "p" * 64) -> Path:
    """What `osler transfer` leaves behind of made-up runs."""
    for each in runs:
        write_run(path / FOLDER, each)
    ones = measured(runs)
    write_json(path / "results.json", [each.model_dump(mode="json") for each in encoder_results(ones)])
    write_json(path / "comparisons.json", [each.model_dump(mode="json") for each in compare_encoders(ones)])
    write_json(path / "protocol.json", {"sha256": protocol, "protocol": {}})
    copy = {
        "first": "alpha/train/x", "first_split": "train", "first_classes": ["a"], "second": "alpha/test/<y>",
        "second_split": "test", "second_classes": ["b"], "rule": "same_file", "score": 1.0, "doubtful": False,
    }  # fmt: skip
    sets = [
        {
            "name": name, "classes": ["a", "b", "c"], "multi_label": False, "modality": "image", "licence": "CC0-1.0",
            "images": 60, "groups": 60, "splits": {"": 60}, "per_class": {"a": 20, "b": 20, "c": 20},
            "drops": {"no label": 2}, "copies": [copy] if name == "alpha" else [], "items_sha256": "s", "notes": [],
        }
        for name in sorted({each.set_name for each in runs})
    ]  # fmt: skip
    write_json(path / "sets.json", sets)
    return path


def page(tmp_path: Path, *folders: Path) -> tuple[str, dict]:
    config = report.parse({"transfer": [str(each) for each in folders]})
    report.run(config, tmp_path / "out", device="cpu", log=Log(quiet=True))
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    return html, json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))


def test_the_page_has_scores_pairs_ranks_plots_and_copies_by_name(tmp_path):
    runs = made_up_runs({"good": 0.9, "bad": 0.5}) + made_up_runs({"good": 0.7, "bad": 0.5}, probe="knn")
    html, record = page(tmp_path, folder(tmp_path / "one", runs))
    assert html.count("<svg") >= 4 and "cannot separate" in html
    assert "Copies: 1 pairs" in html and "alpha/test/&lt;y&gt;" in html and "across splits, different labels" in html
    assert "▲" in html and "mean over sets" in html and "no label: 2" in html
    assert html.index("<h3>linear") < html.index("<h3>knn")
    assert [each["protocol_sha256"] for each in record["encoders"]] == ["p" * 64]
    assert len(record["encoders"][0]["comparisons"]) == 2
    assert "<script" not in html and "https://" not in html and 'src="http' not in html


def test_folders_of_one_protocol_are_ranked_together(tmp_path):
    one = folder(tmp_path / "one", made_up_runs({"good": 0.9}))
    two = folder(tmp_path / "two", made_up_runs({"bad": 0.5}))
    _, record = page(tmp_path, one, two)
    assert len(record["encoders"]) == 1
    comparison = record["encoders"][0]["comparisons"][0]
    assert comparison["encoders"] == ["good", "bad"] and comparison["pairs"][0]["difference"]["ci_low"] > 0


def test_scores_of_different_protocols_are_never_ranked_together_and_the_page_says_so(tmp_path):
    one = folder(tmp_path / "one", made_up_runs({"good": 0.9}))
    two = folder(tmp_path / "two", made_up_runs({"bad": 0.5}, protocol="q" * 64), protocol="q" * 64)
    html, record = page(tmp_path, one, two)
    assert "are not ranked together" in html and "Encoders under different protocols" in html
    assert [each["protocol_sha256"] for each in record["encoders"]] == ["p" * 64, "q" * 64]
    for each in record["encoders"]:
        assert all(not found["pairs"] and found["ranking"] is None for found in each["comparisons"])
        assert len({result["model"] for result in each["results"]}) == 1


def test_few_shot_probes_are_one_plot_of_curves(tmp_path):
    runs = [run for size in (1, 4) for run in made_up_runs({"good": 0.5 + size / 10}, probe=f"few_shot_{size}")]
    html, _ = page(tmp_path, folder(tmp_path / "one", runs))
    assert "images of each class" in html and "few shot 4: scores, pairs and ranks" in html


def test_a_folder_of_another_command_is_refused(tmp_path):
    write_json(tmp_path / "x" / "results.json", [])
    with pytest.raises(InputError, match="protocol.json"):
        page(tmp_path, tmp_path / "x")
    with pytest.raises(InputError, match="a report needs results"):
        report.parse({"title": "x"})
