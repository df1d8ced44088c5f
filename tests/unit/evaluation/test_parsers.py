"""One saved run under several parsers: labelled rows, counted guesses, differences to strict on the same items."""

import json

import pytest

from osler.cli.main import main
from osler.core.errors import InputError
from osler.evaluation import compare_parsers as command
from osler.evaluation.parsers import compare_parsers, find_spreads
from osler.schema.prediction import Prediction
from osler.schema.sample import choice, closed, open_answer, passage
from osler.scoring.extract import read_reply
from osler.scoring.parser import parser_names

OPTIONS = ("pneumonia", "effusion", "edema", "fracture")


def prediction(number, raw, gold, **more):
    found = read_reply(raw, gold)
    fields = {"status": found.status, "parsed": found.parsed, "final": found.final, **more}
    return Prediction(
        item_id=f"i{number}", task="t", cluster=f"p{number // 2}", prompt_sha256="x", raw=raw, gold=gold, **fields
    )


@pytest.fixture
def run():
    """Ten choices of which the strict rules read four, all right; one more on which the engine failed."""
    replies = ["A", "Answer: A", "(A)", "pneumonia", "", "", "answer is not A. It is B.", "I see nothing", "B or A", ""]
    asked = [prediction(n, raw, choice("pneumonia", OPTIONS)) for n, raw in enumerate(replies)]
    failed = prediction(10, "", choice("pneumonia", OPTIONS), status="error", error="x")
    blind = prediction(0, "A", choice("pneumonia", OPTIONS), condition="blind")
    return [*asked, failed, blind]


def test_every_parser_marks_the_same_items(run):
    rows = {row.parser: row for row in compare_parsers(run, parser_names(), seed=0)}
    assert set(rows) == {"strict", "medevalkit", "medevalkit/slake", "mmmu", "vlmevalkit", "vlmevalkit/judge_failed"}
    assert {(row.n, row.errors) for row in rows.values()} == {(10, 1)}
    strict, kit, mmmu = rows["strict"], rows["medevalkit"], rows["mmmu"]
    assert (strict.value, strict.unparsed, strict.guessed, strict.difference) == (0.4, 6, 0, None)
    assert strict.metric == "exact_match"
    assert kit.metric == "accuracy[compat:medevalkit]"
    assert (kit.unparsed, kit.lost_ids) == (0, ("i2",))
    assert {"i4", "i5", "i6", "i9"} <= set(kit.gained_ids)
    assert kit.value == pytest.approx(0.4 + (kit.gained - kit.lost) / 10)
    assert kit.difference == pytest.approx(kit.value - 0.4)
    assert kit.expected is None
    assert mmmu.guessed > 0 and mmmu.expected is not None
    assert all(row.value is not None and row.ci_low <= row.value <= row.ci_high for row in rows.values())


def test_a_draw_depends_on_the_item_and_the_seed_alone(run):
    whole = compare_parsers(run, ["mmmu"], seed=3)[1]
    turned = compare_parsers(run[::-1], ["mmmu"], seed=3)[1]
    assert set(whole.gained_ids) == set(turned.gained_ids)
    values = {compare_parsers(run, ["mmmu"], seed=seed)[1].value for seed in range(20)}
    assert len(values) > 1


def test_what_a_rule_leaves_out_is_counted():
    asked = [prediction(n, raw, closed("no")) for n, raw in enumerate(["no", "yes", "Yes, it is", "maybe"])]
    rows = {row.parser: row for row in compare_parsers(asked, ["llava_med", "llava_med/original"], seed=0)}
    assert (rows["llava_med"].value, rows["llava_med"].n) == (0.25, 4)
    original = rows["llava_med/original"]
    assert (original.value, original.n, original.left_out) == (0.5, 2, 2)
    assert original.difference == pytest.approx(0.25)
    assert original.difference_low is None
    assert (original.gained, original.lost) == (0, 0)
    assert rows["llava_med"].difference == 0.0


def test_measures_that_differ_are_not_mixed():
    asked = [prediction(n, "left lung base", open_answer("left lung")) for n in range(4)]
    rows = compare_parsers(asked, ["llava_med", "medevalkit"], seed=0)
    assert [(row.measure, row.parser, row.value) for row in rows] == [
        ("token_recall", "strict", 1.0), ("token_recall", "llava_med", 1.0),
        ("accuracy", "strict", 0.0), ("accuracy", "medevalkit", 0.0),
    ]  # fmt: skip


def test_the_spread_names_its_ends(run):
    rows = compare_parsers(run, parser_names(), seed=0)
    (spread,) = find_spreads(rows)
    assert spread.lowest == min(row.value for row in rows)
    assert spread.highest == max(row.value for row in rows)
    assert spread.lowest_parser in {"strict", "vlmevalkit", "vlmevalkit/judge_failed"}


@pytest.fixture
def folder(run, tmp_path):
    path = tmp_path / "run" / "predictions.jsonl"
    path.parent.mkdir()
    path.write_text("".join(f"{p.model_dump_json()}\n" for p in run))
    return path.parent


def test_the_command_prints_and_with_out_writes(folder, tmp_path, capsys):
    assert main(["score", str(folder), "--compare-parsers"]) == 0
    said = capsys.readouterr().out
    assert "t (choice answers, accuracy, 1 not answered and left out)" in said
    assert "compat:mmmu" in said and "spread over the same replies" in said
    assert not (folder / "parsers.json").exists()
    out = tmp_path / "out"
    for _ in range(2):
        assert main(["score", str(folder), "parsers=[mmmu]", "--compare-parsers", "--out", str(out)]) == 0
        assert "compat:mmmu" in capsys.readouterr().out
    written = json.loads((out / "parsers.json").read_text())
    assert [row["parser"] for row in written["rows"]] == ["strict", "mmmu"]
    assert written["rows"][1]["gained"] == len(written["rows"][1]["gained_ids"])
    assert written["spreads"][0]["task"] == "t"


def test_a_recipe_of_score_can_be_compared_too(folder, tmp_path, capsys):
    recipe = tmp_path / "r.yaml"
    recipe.write_text(f"predictions: {folder / 'predictions.jsonl'}\nmetrics: [exact_match]\n")
    assert main(["score", str(recipe), "--compare-parsers"]) == 0
    assert "strict" in capsys.readouterr().out


def test_what_cannot_be_compared_is_refused(folder, tmp_path, capsys):
    assert main(["score", str(tmp_path), "--compare-parsers"]) == 2
    assert "holds no predictions.jsonl" in capsys.readouterr().err
    with pytest.raises(InputError, match="unknown parser"):
        command.parse({"predictions": "x", "parsers": ["mmu"]})
    with pytest.raises(InputError, match="each once"):
        command.parse({"predictions": "x", "parsers": ["mmmu", "mmmu"]})
    text = tmp_path / "text.jsonl"
    text.write_text(prediction(1, "lung", passage("lung")).model_dump_json() + "\n")
    with pytest.raises(InputError, match=r"no answer that these parsers mark.*got: text|no answer that"):
        command.compare(command.parse({"predictions": str(text)}))
