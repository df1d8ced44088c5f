import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from osler.core.errors import InputError
from osler.core.files import write_json
from osler.core.log import Log
from osler.core.rng import generator
from osler.curate import run as curate
from osler.media.image import encode_png8
from osler.report.run import parse, run

QUIET = Log(quiet=True)
CAPTIONS = ["A chest <b>film</b>.", "A CT slice.", "", "A knee.", "A hand.", "A skull."]
MATCH = {"alignment_type": "", "alignment_score": 0.9}


@pytest.fixture
def folder(tmp_path) -> Path:
    """A curation of six figures: one without a caption, two small, one cut short; and its sources."""
    images = tmp_path / "pmc_oa" / "caption_T060_filtered_top4_sep_v0_subfigures"
    images.mkdir(parents=True)
    rows = [{"image": f"PMC{n}_Fig1_0.jpg", "caption": text, **MATCH} for n, text in enumerate(CAPTIONS)]
    for n, row in enumerate(rows):
        side = 60 if n in {3, 4} else 200
        data = encode_png8(generator(n, "page").integers(0, 256, (side, side)).astype(np.uint8))
        (images / row["image"]).write_bytes(data[: len(data) // 2] if n == 5 else data)
    (tmp_path / "pmc_oa" / "pmc_oa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = {
        "datasets": [
            {"name": "pmc_oa", "root": str(tmp_path / "pmc_oa"), "agreement": {"research": "drawn for this test"}}
        ],
        "operators": ["drop_duplicate_id", {"drop_small_image": {"min_side_px": 112}}, "drop_broken_image"],
    }
    config = curate.parse(recipe)
    curate.run(config, tmp_path / "data", device="cpu", log=QUIET)
    (tmp_path / "data" / "recipe.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    return tmp_path


def page(folder: Path, **fields) -> str:
    config = parse({"title": "What <was> kept", "curation": str(folder / "data"), **fields})
    run(config, folder / "page", device="cpu", log=QUIET)
    return (folder / "page" / "curation.html").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    return text.split(f"<h2>{title}</h2>")[1].split("</section>")[0]


class Reader(HTMLParser):
    """Checks that tags are closed in order, and collects them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_one_well_formed_file_that_asks_nothing_of_the_network(folder):
    text = page(folder)
    reader = Reader(text)
    assert reader.open == []
    assert all(attrs["src"].startswith("data:image/jpeg;base64,") for tag, attrs in reader.tags if tag == "img")
    assert all(attrs["alt"] for tag, attrs in reader.tags if tag == "img")
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in reader.tags}
    assert "@import" not in text and "url(" not in text and "<b>" not in text and "What &lt;was&gt; kept" in text
    assert page(folder) == text, "the same folder gives the same page"


def test_the_funnel_adds_up_and_follows_the_order_of_the_rules(folder):
    said = section(page(folder), "What became of the rows")
    label = re.search(r'aria-label="([^"]*)"', said).group(1)
    assert label.endswith(
        "rows read 6; after adapter 5; after drop_small_image 3; after drop_broken_image 2; kept 2"
    )  # fmt: skip
    assert ">image too small" in said or "drop_small_image" in said


def test_dropped_examples_are_read_again_and_kept_ones_shown(folder):
    text = page(folder)
    dropped, kept = section(text, "Dropped"), section(text, "Kept")
    assert dropped.count("<article") == 4 and dropped.count("<img") == 2, "the small ones; a cut one cannot be shown"
    assert "no sample could be made of its row" in dropped and "cannot be shown: " in dropped
    assert kept.count("<article") == kept.count("<img") == 2 and "A chest &lt;b&gt;film&lt;/b&gt;." in kept
    assert page(folder, num_examples=1).count("<article") == 4, "one a rule, and one of the set"


def test_scores_are_drawn_with_their_limit(folder):
    said = section(page(folder), "Scores of what was dropped")
    assert 'class="limit"' in said and "2 dropped, from 60 to 60, limit 112" in said


def test_weights_licences_and_overlap_are_told(folder):
    text = page(folder)
    assert "pmc_oa" in section(text, "Weights") and "100.0%" in section(text, "Weights")
    assert "declared use: research" in section(text, "Licences")
    assert "osler curate check" in section(text, "Overlap")
    facts = {"items": 7, "verdicts": {"clean": 5, "flagged": 2}, "rules": {}}
    write_json(folder / "check" / "contamination.json", {"datasets": {"slake": facts}})
    overlap = section(page(folder, contamination=str(folder / "check")), "Overlap")
    assert re.sub(r"<[^>]+>", "|", overlap).count("|7|") == 1 and "flagged" in overlap


def test_without_the_source_the_page_says_so(folder):
    shutil.rmtree(folder / "pmc_oa")
    dropped = section(page(folder), "Dropped")
    assert dropped.count("is not at hand") == 4 and "<img" not in dropped


def test_only_so_many_rows_are_read_again(folder):
    assert "not among the first 1 rows of its source" in page(folder, max_rows_read=1)


def test_verdicts_of_a_model_are_shown(folder):
    from osler.curate.asking.record import write_asked
    from osler.curate.asking.relevance import Verdict
    from osler.endpoint.ask import Answered

    id = "pmc_oa/train/000000"
    answers = {id: Answered(Verdict(relevant=True, reason="A film of a chest.")), "x": Answered(None, "no JSON")}
    write_asked(folder / "data", answers, rule="judge_relevance", model="m", prompt_sha256="0")
    text = page(folder)
    assert "A film of a chest." in section(text, "Kept")
    cells = re.sub(r"<[^>]+>", "|", section(text, "How it was made"))
    assert "|judge_relevance||1||1|" in cells


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({}, "a report needs results"),
        ({"results": ["x"], "contamination": "y"}, "shown on the page of a curation"),
    ],
)
def test_a_recipe_without_something_to_tell_is_refused(recipe, said):
    with pytest.raises(InputError, match=said):
        parse(recipe)


def test_a_folder_that_is_no_curation_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match="mixture.json"):
        page(tmp_path)


def test_a_copy_names_the_sample_that_it_repeats(folder):
    drops = pq.read_table(folder / "data" / "drops.parquet")
    column = drops.schema.get_field_index("matched_id")
    drops = drops.set_column(column, drops.schema.field(column), pa.array(["pmc_oa/train/<0>"] * drops.num_rows))
    pq.write_table(drops, folder / "data" / "drops.parquet")
    assert "<dt>repeats</dt><dd>pmc_oa/train/&lt;0&gt;</dd>" in section(page(folder), "Dropped")
