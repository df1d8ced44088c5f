"""Exports of the served page's blinded readings, as `osler score` reads them."""

import json

import pytest

from osler.core.errors import InputError
from osler.core.log import Log
from osler.evaluation import score
from osler.evaluation.judging.verdicts import read_verdicts

SHA = ["a" * 64, "b" * 64]


def line(item=0, reader="ann", **changes):
    row = {
        "schema_version": 1, "reader": reader, "seed": "s", "first": "base", "second": "tuned",
        "item_id": f"item-{item}", "task": "free", "cluster": f"person-{item}",
        "images": [SHA[0]], "question": SHA[1], "answers": SHA,
        "first_is": "left", "verdict": "left", "seconds": 12.5,
    }  # fmt: skip
    return json.dumps(row | changes)


def export(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def test_sides_become_models(tmp_path):
    sides = [
        ("left", "left"),
        ("left", "right"),
        ("right", "left"),
        ("right", "right"),
        ("left", "tie"),
        ("right", "both_bad"),
    ]
    lines = [line(n, first_is=first_is, verdict=verdict) for n, (first_is, verdict) in enumerate(sides)]
    left_out = line(9, verdict=None, first_is=None, answers=None)
    found = read_verdicts([export(tmp_path / "a.jsonl", *lines, left_out)])
    assert list(found.outcomes["ann"].values()) == ["first", "second", "second", "first", "tie", "both_bad"]
    assert found.models == ("base", "tuned") and found.left_out == {"ann": 1}


def test_readers_of_the_same_answers_judge_the_same_duel(tmp_path):
    found = read_verdicts([
        export(tmp_path / "a.jsonl", line()),
        export(tmp_path / "b.jsonl", line(reader="bob", first_is="right"), line(1, reader="bob", answers=SHA[::-1])),
    ])  # fmt: skip
    assert len(found.duels) == 2 and set(found.outcomes["ann"]) < set(found.outcomes["bob"])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "is no verdict"),
        ([line(verdict="better")], "verdict"),
        ([line(reader="a b")], "reader"),
        ([line(extra=1)], "extra"),
        ([line(first="tuned", second="base")], "in the order of their names"),
        ([line(), line()], "judged this case already"),
    ],
)
def test_what_is_no_export_is_refused(tmp_path, lines, said):
    with pytest.raises(InputError, match=said):
        read_verdicts([export(tmp_path / "a.jsonl", *lines)])


def run(tmp_path, *paths, **changes):
    recipe = {"method": "preference", "verdicts": [str(path) for path in paths], **changes}
    out = tmp_path / "out"
    score.run(score.parse(recipe), out, device="cpu", log=Log(quiet=True))
    return json.loads((out / "preference.json").read_text()), (out / "preferences.jsonl").read_text().splitlines()


def test_osler_score_needs_nothing_but_the_exports(tmp_path):
    ann = export(tmp_path / "ann.jsonl", *[line(n) for n in range(6)], line(6, verdict="right"), line(7, verdict="tie"))
    bob = export(tmp_path / "bob.jsonl", *[line(n, reader="bob", first_is="right", verdict="right") for n in range(8)])
    record, rows = run(tmp_path, ann, bob)
    raters = {row["rater"]: row for row in record["raters"]}
    (rate,) = raters["ann"]["win_rates"]
    assert (rate["first"], rate["n"], rate["rate"]["value"]) == ("base", 8, 6.5 / 8)
    assert raters["all readers"]["n"] == 16 and len(rows) == 16 and record["models"] == ["base", "tuned"]
    assert record["agreement"][0]["raters"] == ["ann", "bob"]


def test_recipes_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(InputError, match="judge no case"):
        run(tmp_path, export(tmp_path / "a.jsonl", line(verdict=None)))
    with pytest.raises(InputError, match="name of another rater"):
        run(tmp_path, export(tmp_path / "a.jsonl", line(reader="judge")))
    with pytest.raises(InputError, match="need answers to compare"):
        run(tmp_path, export(tmp_path / "a.jsonl", line()), readers=["eve"])
