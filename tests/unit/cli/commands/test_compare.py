import json
from pathlib import Path

import pytest

from osler.cli.main import main
from osler.core.errors import InputError
from osler.core.files import sha256_file, write_json, write_text
from osler.evaluation.compare import compare_runs
from osler.schema.prediction import Prediction
from osler.schema.sample import closed, passage
from osler.scoring.report_metrics.cache import ExtractionCache
from osler.scoring.report_metrics.extract import label_of

FIXTURES = Path(__file__).parents[3] / "fixtures" / "metrics"
ROW = {
    "task": "side", "task_version": "1", "metric": "accuracy", "metric_signature": "accuracy:1", "value": 0.5,
    "ci_low": 0.4, "ci_high": 0.6, "n": 100, "n_clusters": 50, "unparsed": 0, "model": "a", "dataset_ids_sha256": "f",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    def make(name, recipe, *rows):
        write_text(tmp_path / name / "recipe.yaml", recipe)
        if rows:
            write_json(tmp_path / name / "results.json", list(rows))
        return str(tmp_path / name)

    return make


def test_recipes_and_scores_are_compared(folder, capsys):
    better = {**ROW, "value": 0.9, "ci_low": 0.85, "ci_high": 0.95, "model": "b"}
    assert main(["compare", folder("a", "lr: 0.1\n", ROW), folder("b", "lr: 0.2\n", better)]) == 0
    said = capsys.readouterr().out
    assert "lr: 0.1 -> 0.2" in said
    assert "side accuracy: 0.500 [0.400, 0.600] n=100 -> 0.900 [0.850, 0.950] n=100, +0.400\n" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": 0.55, "ci_low": 0.45, "ci_high": 0.65}, "the intervals overlap"),
        ({"dataset_ids_sha256": "g"}, "different items"),
        ({"metric_signature": "accuracy:2"}, "different variants"),
        ({"value": None, "ci_low": None, "ci_high": None}, "-> not measured\n"),
        ({"task": "other"}, "other accuracy: not measured -> 0.500"),
    ],
)
def test_what_cannot_be_compared_says_so(folder, capsys, change, said):
    assert main(["compare", folder("a", "x: 1\n", ROW), folder("b", "x: 1\n", {**ROW, **change})]) == 0
    out = capsys.readouterr().out
    assert "recipe: the same" in out and said in out


def test_folders_without_scores_and_missing_folders(folder, capsys):
    a = folder("a", "x: 1\n")
    assert main(["compare", a, a]) == 0
    assert "neither folder" in capsys.readouterr().out
    assert main(["compare", a, a + "-not-there"]) == 2


def answers(said, **changes):
    """Four patients with three questions each; `said` gives the answers, yes is right."""
    rows = [
        Prediction(
            item_id=f"q{n}", task="side", cluster=f"p{n // 3}", prompt_sha256="0", raw=word, final=word, status="ok",
            parsed=word, gold=closed("yes"),
        ).model_copy(update=changes.get(f"q{n}", {}))
        for n, word in enumerate(said)
    ]  # fmt: skip
    return "".join(f"{row.model_dump_json()}\n" for row in rows)


@pytest.fixture
def run(folder, tmp_path):
    def make(name, predictions, **changes):
        place = folder(name, "x: 1\n", {**ROW, "metric": "closed_accuracy", **changes})
        write_text(tmp_path / name / "predictions.jsonl", predictions)
        return place

    return make


ALL, SOME = ["yes"] * 12, ["yes", "yes", "no"] * 3 + ["no"] * 3


def test_runs_are_compared_item_by_item(run, capsys):
    assert main(["compare", run("a", answers(SOME)), run("b", answers(ALL), model="b")]) == 0
    lines = capsys.readouterr().out.splitlines()
    row = next(line for line in lines if "closed_accuracy" in line).split()
    assert row[:6] == ["side", "closed_accuracy", "12", "4", "0.500", "1.000"] and row[6] == "+0.500"
    assert "cluster-sign-flip|exact|16" in row and row[-3:-1] == ["0.1250", "0.1250"]
    assert any("McNemar's test is not valid here: up to 3 items share a cluster" in line for line in lines)


def test_items_that_the_engine_failed_on_are_left_out_and_said(run, capsys):
    failed = answers(ALL, q1={"status": "error", "parsed": None, "error": "lost"})
    assert main(["compare", run("a", answers(SOME)), run("b", failed)]) == 0
    out = capsys.readouterr().out
    assert "1 items left out" in out and "closed_accuracy  11 " in out


@pytest.mark.parametrize(
    ("predictions", "changes", "said"),
    [
        (answers(ALL), {"task_version": "2"}, "task side: version 1 and 2"),
        (answers(ALL), {"metric_signature": "accuracy:2"}, "accuracy:1 and accuracy:2"),
        (answers(ALL[:11]), {}, "1 items only in the first run (q11)"),
        (answers([*ALL, "yes"]), {}, "1 items only in the second run (q12)"),
        (answers(ALL, q3={"gold": closed("no")}), {}, "1 items with other gold answers (q3)"),
        (answers(ALL, q3={"cluster": "p9"}), {}, "1 items with other clusters (q3)"),
        (answers(ALL), {"task": "other"}, "share no task and metric"),
    ],
)
def test_runs_of_other_items_or_versions_are_refused(run, capsys, predictions, changes, said):
    assert main(["compare", run("a", answers(ALL)), run("b", predictions, **changes)]) == 2
    assert said in capsys.readouterr().err


def test_comparisons_are_records(run, tmp_path):
    run("a", answers(SOME))
    run("b", answers(ALL))
    (row,) = compare_runs(tmp_path / "a", tmp_path / "b")
    record = json.loads(row.model_dump_json())
    assert (record["first"], record["second"]) == (0.5, 1.0)
    assert record["difference"]["p"] == record["difference"]["p_holm"] == 0.125


def test_the_comparison_is_kept_in_a_file(run, tmp_path):
    a, b, out = run("a", answers(SOME)), run("b", answers(ALL)), tmp_path / "kept" / "differences.json"
    assert main(["compare", a, b, "--out", str(out)]) == 0
    kept = json.loads(out.read_text())
    assert kept["first"] == {"folder": a, "predictions_sha256": sha256_file(tmp_path / "a" / "predictions.jsonl")}
    (row,) = kept["comparisons"]
    assert (row["first"], row["second"], row["difference"]["value"]) == (0.5, 1.0, 0.5)


def test_a_comparison_is_not_written_over_a_run_or_where_there_is_none(run, folder, tmp_path, capsys):
    a, b = run("a", answers(SOME)), run("b", answers(ALL))
    bare = folder("bare", "x: 1\n", ROW)
    for second, out, said in (
        (b, tmp_path / "a" / "results.json", "lies in a folder that is compared"),
        (b, tmp_path, "a file such as differences.json"),
        (bare, tmp_path / "d.json", "there is no paired comparison to write"),
    ):
        assert main(["compare", a, second, "--out", str(out)]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "d.json").exists() and json.loads((tmp_path / "a" / "results.json").read_text())


def test_parts_by_contamination_are_compared_where_both_checks_agree(run, tmp_path):
    """The first model has seen q0, q1 and q2, the second q2 and q3."""
    rows = [{**ROW, "metric": "closed_accuracy", "task": name} for name in ("side", "side[clean]", "side[flagged]")]
    for name, said, seen in (("a", SOME, "012"), ("b", ALL, "23")):
        run(name, answers(said))
        items = [{"item_id": f"q{n}", "verdict": "flagged" if str(n) in seen else "clean"} for n in range(12)]
        task = {"name": "side", "version": "1", "metrics": ["closed_accuracy"], "items": items}
        write_json(tmp_path / name / "context.json", {"model": name, "tasks": [task]})
        write_json(tmp_path / name / "results.json", rows)
    found = {row.task: row for row in compare_runs(tmp_path / "a", tmp_path / "b")}
    assert {name: row.difference.n for name, row in found.items()} == {"side": 12, "side[clean]": 8, "side[flagged]": 1}
    assert found["side"].first == 0.5 and not any("left out" in note for note in found["side"].difference.notes)
    assert "3 items left out: only one of the runs counts them to side[clean]" in found["side[clean]"].difference.notes


def reports(texts):
    rows = [
        Prediction(
            item_id=f"q{n}", task="reports", cluster=f"p{n}", prompt_sha256="0", raw=text, final=text, status="ok",
            parsed=text, gold=passage("The heart is wide."),
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip
    return "".join(f"{row.model_dump_json()}\n" for row in rows)


def keep_findings(folder, weights):
    """What a run with extractors leaves behind."""
    found = json.loads((FIXTURES / "radgraph_f1" / "found.json").read_text())["radgraph"]
    cache = ExtractionCache(folder / "extractions.sqlite")
    cache.put(label_of("radgraph"), weights, found.items())
    cache.close()
    write_json(folder / "metric_weights.json", {"radgraph": {"folder": "gone", "sha256": weights, "files": {}}})


@pytest.mark.parametrize("weights", ["f" * 64, "e" * 64])
def test_metrics_of_reports_are_compared_by_kept_findings_without_weights(run, tmp_path, weights):
    same = weights == "f" * 64
    for name, text, own in (("a", "xyz", "f" * 64), ("b", "The heart is wide.", weights)):
        run(name, reports([text, "The heart is wide."]), task="reports", metric="radgraph_f1")
        keep_findings(tmp_path / name, own)
    before = sha256_file(tmp_path / "a" / "extractions.sqlite")
    (row,) = compare_runs(tmp_path / "a", tmp_path / "b")
    assert (row.first, row.second, row.difference.value) == ((0.5, 1.0, 0.5) if same else (None, None, None))
    assert bool(row.difference.notes) is not same
    assert sorted(path.name for path in (tmp_path / "a").glob("extractions*")) == ["extractions.sqlite"]
    assert sha256_file(tmp_path / "a" / "extractions.sqlite") == before


def test_a_report_that_no_model_looked_at_is_refused(run, tmp_path):
    for name in "ab":
        run(name, reports(["A text of its own.", "The heart is wide."]), task="reports", metric="radgraph_f1")
        keep_findings(tmp_path / name, "f" * 64)
    with pytest.raises(InputError, match="kept no finding of radgraph"):
        compare_runs(tmp_path / "a", tmp_path / "b")
