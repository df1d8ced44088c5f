"""The page of two evaluations: leaderboard, paired marks, cases to browse, subsets, and what reproduces the runs."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.core.files import read_json, write_json, write_text
from osler.core.log import Log
from osler.report.run import inputs, parse, run
from report_example import ATTACK, write_pair

LISTS = 4


@pytest.fixture
def folder(tmp_path):
    write_pair(tmp_path)
    return tmp_path


def make(folder, **changes):
    recipe = {"results": [str(folder / "one"), str(folder / "two")], "comparisons": [str(folder / "pair.json")]}
    out = folder / f"report-{len(list(folder.iterdir()))}"
    run(parse(recipe | changes), out, device="cpu", log=Log(quiet=True))
    return (out / "report.html").read_text(encoding="utf-8"), read_json(out / "report.json")


def part(page, title):
    """The words of a section."""
    start = page.index(f"<h2>{title}</h2>")
    return re.sub(r"<[^>]+>", "|", page[start : page.index("</section>", start)])


def change(path, **changes):
    rows = read_json(path)
    write_json(path, [{**row, **changes} for row in rows])


def test_each_score_stands_beside_its_baselines_and_the_other_model(folder):
    board = part(make(folder)[0], "Leaderboard")
    for words in ("0.900", "(0.860 to 0.940)", "n 300, unparsed 4 (1.3 %)", "items partial", "blind 0.510"):
        assert words in board
    assert "▼ lower than one by 0.400, p 0.020, n 300" in board
    assert "▲ higher than two by 0.400, p 0.020, n 300" in board


def test_holm_is_taken_over_all_rows_and_what_is_not_told_apart_is_said(folder):
    pair = read_json(folder / "pair.json")
    pair["comparisons"] *= 3
    write_json(folder / "pair.json", pair)
    page, record = make(folder)
    assert "= not told apart from one (-0.400), p 0.060" in part(page, "Leaderboard")
    assert [row["difference"]["p_holm"] for row in record["comparisons"]] == pytest.approx([0.06] * 3)


def test_a_metric_of_which_less_is_better_is_marked_so(folder):
    for name in ("one", "two"):
        change(folder / name / "results.json", metric="radcliq", notes=[])
    pair = read_json(folder / "pair.json")
    pair["comparisons"][0]["metric"] = "radcliq"
    write_json(folder / "pair.json", pair)
    page, _ = make(folder)
    assert re.search(r'<small class="mark right">▼ lower than one', page)
    assert re.search(r'<small class="mark wrong">▲ higher than two', page)


def test_no_cell_is_empty_and_what_is_missing_has_its_reason(folder):
    write_json(folder / "two" / "results.json", read_json(folder / "two" / "results.json")[:1])
    page, _ = make(folder)
    board = page[page.index('<table class="board">') : page.index("</table>")]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", board)
    assert len(cells) == 6 and all(re.sub(r"<[^>]+>", "", cell).strip() for cell in cells)
    assert "unavailable: no weights of radgraph" in board and "not asked" in board


def test_published_scores_have_a_column_and_no_mark(folder):
    score = {"model": "Theirs", "metric": "closed_accuracy", "value": 0.99, "source": "a paper", "n": 5}
    plain = make(folder)[0]
    change(folder / "one" / "results.json", published=[score])
    page = make(folder)[0]
    assert '<td class="published"><small>0.990 Theirs, n 5, a paper</small></td>' in page
    marks = [re.findall(r'class="mark[^>]*>(.*?)</small>', each) for each in (plain, page)]
    assert marks[0] == marks[1] != []


def test_without_a_comparison_the_page_tells_how_to_make_one(folder):
    board = part(make(folder, comparisons=[])[0], "Leaderboard")
    assert "osler compare" in board and "▲ higher than two" not in board


def test_two_runs_of_one_name_are_told_apart_by_their_folders(folder):
    for name in ("one", "two"):
        change(folder / name / "results.json", model="same")
    board = part(make(folder)[0], "Leaderboard")
    assert f"same ({folder / 'one'})" in board and f"same ({folder / 'two'})" in board


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: write_text(f / "two" / "predictions.jsonl", "x\n"), "predictions that this report does not hold"),
        (lambda f: write_json(f / "pair.json", [1]), "holds no comparison"),
        (lambda f: (f / "pair.json").unlink(), "cannot read"),
        (lambda f: change(f / "one" / "subgroups.json", other="x"), "one column beside the score"),
        (lambda f: write_text(f / "one" / "cases" / "0-0.png", "x"), "is no picture"),
    ],
)
def test_a_spoilt_file_is_refused(folder, spoil, said):
    spoil(folder)
    with pytest.raises(InputError, match=re.escape(said)):
        make(folder)


def test_a_comparison_of_a_run_with_itself_is_refused(folder):
    pair = read_json(folder / "pair.json")
    write_json(folder / "pair.json", {**pair, "second": pair["first"]})
    with pytest.raises(InputError, match="one evaluation with itself"):
        make(folder)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"results": ["a", "a"]}, "results must name each path once"),
        ({"curation": "a", "comparisons": ["b"]}, "comparisons are shown beside results"),
    ],
)
def test_a_wrong_recipe_is_refused(recipe, said):
    with pytest.raises(InputError, match=said):
        parse(recipe)


def test_comparisons_are_inputs():
    assert [str(path) for path in inputs(parse({"results": ["a"], "comparisons": ["b"]}))] == ["a", "b"]


def test_nothing_that_a_model_said_becomes_part_of_the_page(folder):
    for name in ("one", "two"):
        cases = read_json(folder / name / "cases.json")
        said = {"raw": ATTACK, "parsed": ATTACK, "status": "ok", "rule": ATTACK, "words": ATTACK, "span": [0, 9]}
        spoilt = {key: ATTACK for key in ("task", "item_id", "question", "gold", "gold_text", "verdict", "metric")}
        spoilt |= {"options": [ATTACK], "predictions": {ATTACK: said}, "images_not_shown": [{"reason": ATTACK}]}
        write_json(folder / name / "cases.json", [{**cases[0], **spoilt}])
        change(folder / name / "subgroups.json", task=ATTACK, metric=ATTACK, verdict=ATTACK)
        write_json(folder / name / "decode.json", {ATTACK: ATTACK})
        write_text(folder / name / "recipe.yaml", f"model: {json.dumps(ATTACK)}\n")
        published = {"model": ATTACK, "metric": "m", "value": 0.1, "source": ATTACK, "note": ATTACK}
        change(folder / name / "results.json", task=ATTACK, notes=[ATTACK], prompt=ATTACK, published=[published])
        change(folder / name / "results.json", model=f"{name}{ATTACK}")
    page, _ = make(folder)
    assert "<script" not in page and "<img src=x" not in page and "onerror=alert(2)&gt;" in page
    assert page.index("Content-Security-Policy") < page.index("<title>")
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page


def test_a_case_tells_how_its_answer_was_read(folder):
    page, _ = make(folder)
    cases = part(page, "Example cases")
    assert "<mark>B</mark>" in page
    for words in ("a letter alone", "the same (characters 0 to 1)", "0.900 (accuracy)", "B: right", "clean", "flagged"):
        assert words in cases, words
    assert "not recorded by this evaluation" in cases, "the second case is of an evaluation that kept no rule"
    assert page.count('<article class="case') == 2, "one item of two models stands once"
    assert page.count("data:image/png") == 1


def test_filters_are_lists_that_need_no_script(folder):
    page, _ = make(folder)
    assert "<script" not in page
    assert page.count("<select") == LISTS == page.count("<label>")
    first, second = re.findall(r'<article class="case ([^"]+)"', page)
    assert "answer-2" in first.split() and "answer-0" in first.split() and "answer-2-model-1" in first.split()
    assert "answer-2-model-0" not in first.split() and "answer-2-model-0" in second.split()
    for mark in {*first.split(), *second.split()}:
        assert f".case:not(.{mark}) {{ display: none; }}" in page


def test_a_page_stays_small_whatever_was_kept(folder):
    noise = np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8)
    case = read_json(folder / "one" / "cases.json")[0]
    said = {**case["predictions"]["image"], "raw": "x" * 100_000 + "B", "span": [100_000, 100_001]}
    cases = [
        {**case, "item_id": f"i{n}", "images": ["cases/big.png"] * 9, "predictions": {"image": said}} for n in range(30)
    ]
    write_json(folder / "one" / "cases.json", cases)
    Image.fromarray(noise).save(folder / "one" / "cases" / "big.png")
    bounds = {"num_cases": 20, "num_images": 2, "max_image_px": 64, "max_characters": 500, "max_pictures_mib": 0.25}
    page, _ = make(folder, cases=bounds)
    assert 200_000 < len(page.encode()) < 250_000 + 20 * 10_000
    data = re.findall(r"data:image/png;base64,([^\"]+)", page)
    assert sum(map(len, data)) <= 2**18 and max(Image.open(io.BytesIO(base64.b64decode(data[0]))).size) == 64
    for words in ("10 kept cases are not shown", "pictures are left out", "7 more images are not shown"):
        assert words in page
    assert "<mark>B</mark>" in page and "99,751 characters before" in page


def test_subsets_have_their_counts(folder):
    said = part(make(folder)[0], "Subsets")
    assert "|training data||clean||0.250||0.100 to 0.400||77||7||7 (9.1 %)|" in said


def test_the_box_holds_what_a_run_can_be_made_again_from(folder):
    said = part(make(folder)[0], "Reproduce")
    for words in (
        "osler eval r.yaml", "0123456789abcdef", "weights/model", "abc123", "shards", "def456", "eval 0", "osler 0.1.0",
        "2 of 8 answers differed (25.0 %), 1 of them in what is scored; 1 got no second answer", "p/1#a", "partial",
        "Linux, 2 CPU cores", "Python 3.11.2", "model: weights/model",
    ):  # fmt: skip
        assert words in said, words


def test_what_is_not_known_of_a_run_is_said(folder):
    for name in ("manifest.json", "canary.json", "recipe.yaml"):
        (folder / "one" / name).unlink()
    said = part(make(folder)[0], "Reproduce")
    assert said.count("not known: the folder holds no manifest.json") >= 3
    assert "no question was, so that it is not known whether answers repeat" in said


def test_servers_are_named_as_declared(folder):
    recipe = "endpoints: [{url: 'http://h:1/v1', model: served}]\nremote: {revision: 2026-01}\n"
    write_text(folder / "one" / "recipe.yaml", recipe)
    said = part(make(folder)[0], "Reproduce")
    assert "served at http://h:1/v1" in said and "unseen, revision 2026-01" in said
