import pytest

from osler.cli.main import main
from osler.core.files import write_json, write_text

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
