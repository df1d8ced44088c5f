import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.core.files import read_json, write_json
from osler.core.log import Log
from osler.report.run import inputs, parse, run
from report_example import write_example


@pytest.fixture
def folder(tmp_path):
    write_example(tmp_path)
    return tmp_path


def make(folder, **changes):
    recipe = {
        "title": "A <title> & more",
        "results": [str(folder / "eval")],
        "training": [str(folder / "align")],
        "data": [str(folder / "data")],
        "notes": ["Warmed up on drawn masks."],
    }
    out = folder / f"report-{len(list(folder.iterdir()))}"
    outcome = run(parse({**recipe, **changes}), out, device="cpu", log=Log(quiet=True))
    return (out / "report.html").read_text(encoding="utf-8"), read_json(out / "report.json"), outcome


class Reader(HTMLParser):
    """Collects tags and checks that they are closed in order."""

    VOID = {"meta", "img", "br", "link", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_the_page_asks_nothing_of_the_network(folder):
    page, _, _ = make(folder)
    loads = [
        (tag, attrs) for tag, attrs in read(page).tags
        if tag in {"script", "link", "iframe", "object"} or not attrs.get("src", "data:").startswith("data:")
    ]  # fmt: skip
    assert loads == []
    assert "@import" not in page and "url(http" not in page


def test_the_page_is_well_formed_and_can_be_read_aloud(folder):
    reader = read(make(folder)[0])
    tags = reader.tags
    assert next(attrs for tag, attrs in tags if tag == "html")["lang"] == "en"
    assert all(attrs.get("alt") for tag, attrs in tags if tag == "img")
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags) > 3
    assert all(attrs["scope"] == "col" for tag, attrs in tags if tag == "th")
    assert sum(tag == "svg" and attrs["role"] == "img" for tag, attrs in tags) == 2
    assert sum(tag == "h1" for tag, _ in tags) == 1
    assert len(reader.ids) == len(set(reader.ids))


def test_text_from_files_is_escaped(folder):
    page, _, _ = make(folder)
    assert "<b>bold</b>" not in page and "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "A &lt;title&gt; &amp; more" in page


def test_scores_come_with_interval_counts_and_baselines(folder):
    page, record, outcome = make(folder)
    row = page[page.index("<td>phantom_side</td>") :]
    row = re.sub(r"<[^>]+>", "|", row[: row.index("</tr>")])
    for cell in ("0.900", "0.860 to 0.940", "300", "120", "4 (1.3 %)", "0.500", "0.510 |(0.450 to 0.570)|"):
        assert f"|{cell}|" in row
    assert record["headline"][0]["value"] == 0.9
    assert outcome.counts == {"results": 2, "cases": 2, "training_runs": 1, "comparisons": 0, "encoders": 0}


def test_what_was_not_measured_is_never_a_zero(folder):
    page, record, _ = make(folder)
    row = page[page.index("<td>phantom_count</td>") :]
    row = re.sub(r"<[^>]+>", "|", row[: row.index("</tr>")])
    assert row.count("not measured") == 6 and "0.000" not in row
    assert record["headline"][1]["value"] is None
    assert "phantom_count (accuracy): not measured" in page


def test_cases_notes_licences_and_hashes_are_there(folder):
    page, _, _ = make(folder)
    for words in ("Warmed up on drawn masks.", "CC0-1.0", "Which side?", "zzz", "B: right", "a note"):
        assert words in page
    assert page.count("data:image/png;base64,") == 1
    assert "0123456789ab" in page, "the recipe's hash"
    assert "osler eval" in page and "osler score" in page


def test_the_same_folders_give_the_same_bytes(folder):
    assert make(folder)[0] == make(folder)[0]


def test_a_report_of_results_alone(folder):
    page, record, _ = make(folder, training=[], data=[], notes=[])
    assert "names no training run" in page
    assert record["training"] == [] and record["data"] == []


def test_inputs_are_all_folders(folder):
    config = parse({"results": ["a"], "training": ["b"], "data": ["c"]})
    assert [str(path) for path in inputs(config)] == ["a", "b", "c"]


def test_a_folder_without_manifest_is_said(folder, capsys):
    (folder / "eval" / "manifest.json").unlink()
    page, _, _ = make(folder)
    assert "how it was made is not known" in page
    assert "holds no manifest.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: write_json(f / "eval" / "results.json", {"a": 1}), "expected a list of records; got dict"),
        (lambda f: write_json(f / "eval" / "results.json", [{"task": "x"}]), "task_version: Field required"),
        (lambda f: (f / "eval" / "results.json").unlink(), "nothing at that path"),
        (lambda f: (f / "eval" / "cases" / "0-0.png").unlink(), "cannot read"),
        (lambda f: (f / "align" / "metrics.jsonl").unlink(), "cannot read"),
    ],
)
def test_a_spoilt_folder_says_which_file(folder, spoil, said):
    spoil(folder)
    with pytest.raises(InputError, match=re.escape(said)):
        make(folder)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [({"results": []}, "needs results"), ({"result": ["a"]}, "Did you mean 'results'?")],
)
def test_a_wrong_recipe_is_refused(recipe, said):
    with pytest.raises(InputError, match=re.escape(said)):
        parse(recipe)


def test_the_plot_shows_only_what_was_measured(folder):
    results = read_json(folder / "eval" / "results.json")
    write_json(folder / "eval" / "results.json", results[1:])
    page, _, _ = make(folder)
    assert "phantom_count (accuracy)" in page


def test_pictures_are_kept_whole(folder):
    import base64
    import io

    page, _, _ = make(folder)
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page).group(1))
    shown = np.asarray(Image.open(io.BytesIO(data)))
    assert np.array_equal(shown, np.asarray(Image.open(folder / "eval" / "cases" / "0-0.png")))


FULL = {
    "fill": 0.99, "grad_norm": 1.5, "tokens_per_s": 1234.5, "tiles_per_s": 7.25, "mfu": 0.257, "memory_gib": 61.3,
    "loss/slake": 1.25, "loss/vqa_rad": 2.5, "router_balance": 1.01, "router_max_load/0": 1.4, "eval_loss": 1.75,
}  # fmt: skip


def write_metrics(folder, *changes):
    rows = [
        {"step": step, "loss": 3.0 / step, "learning_rate": 1e-3, **change} for step, change in enumerate(changes, 1)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "align" / "metrics.jsonl").write_text(text, encoding="utf-8")


def test_the_training_section_shows_what_was_logged(folder):
    write_metrics(folder, FULL, {**FULL, "loss/slake": 0.75}, {"loss/slake": 0.5})
    page, record, _ = make(folder)
    training = page[page.index("<h2>Training</h2>") : page.index("<h2>Example cases</h2>")]
    cells = re.sub(r"<[^>]+>", "|", training)
    for cell in ("0.990", "1,234", "7.2", "25.7%", "61.3", "held-out loss", "tokens/s", "MFU", "memory, GiB"):
        assert f"|{cell}|" in cells, cell
    assert "|align||slake||training||1.250||0.833|" in cells.replace("\n", "")
    for words in ("loss by dataset", "gradient norm", "router balance", "busiest expert", "learning rate", "slake"):
        assert words in training, words
    assert record["training"][0]["last"]["mfu"] == 0.257
    read(page)


def test_what_was_not_logged_has_no_panel(folder):
    page, _, _ = make(folder)
    assert "learning rate" in page
    for words in ("loss by dataset", "gradient norm", "router balance", "tokens/s", "MFU", "memory, GiB", "|fill|"):
        assert words not in page[page.index("<h2>Training</h2>") : page.index("<h2>Example cases</h2>")], words


def test_a_utilisation_that_is_not_known_is_left_out_and_never_zero(folder):
    write_metrics(folder, {"mfu": None, "fill": 0.9}, {"mfu": None, "fill": float("nan")})
    page, record, _ = make(folder)
    training = page[page.index("<h2>Training</h2>") : page.index("<h2>Example cases</h2>")]
    assert "MFU" not in training and "mfu" not in record["training"][0]["last"]
    assert "0.900" in training and "nan" not in training.lower()


def test_runs_that_logged_different_things_stand_side_by_side(folder):
    import shutil

    shutil.copytree(folder / "align", folder / "midtrain")
    write_metrics(folder, FULL, FULL)
    page, _, _ = make(folder, training=[str(folder / "align"), str(folder / "midtrain")])
    training = page[page.index("<h2>Training</h2>") : page.index("<h2>Example cases</h2>")]
    assert training.count("not measured") == 6 and "not logged" in training
    assert make(folder, training=[str(folder / "align"), str(folder / "midtrain")])[0] == page
