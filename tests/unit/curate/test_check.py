"""`osler curate check` on two stores and on a published folder: what is flagged, by which rule, and the page."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from films import film, saved
from osler.core.errors import InputError
from osler.core.log import Log
from osler.curate import check
from osler.media.image import image_facts
from osler.schema.sample import Provenance, Sample, closed, image, passage, user
from osler.store.record import Blob, stored_record
from osler.store.shards import write_shard

QUIET = Log(quiet=True)
REPORT = "A large effusion fills the left side and shifts the mediastinum to the right."


def sample(id: str, *, path: str = "a.png", group: str = "", answer=None, url: str = "") -> Sample:
    origin = Provenance(dataset="toy", record_id=id, licence="CC0-1.0", source_url=url)
    shown = (user(image(path), "Is there an effusion?"),) if path else (user("Which drug is given first in shock?"),)
    return Sample(id=id, turns=shown, answer=answer or closed("yes"), group=group, provenance=origin)


def store(folder: Path, split: str, records: list[tuple[bytes, Sample]]) -> Path:
    def stored(number: int, data: bytes, said: Sample):
        blobs = {ref.path: Blob(data, *_facts(data)) for ref in said.media}
        return stored_record(f"{split}{number}", [said.model_copy(update={"split": split})], blobs)

    made = [stored(number, *record) for number, record in enumerate(records)]
    write_shard(folder, split, 0, records=made, estimate=lambda sample: (8, 1))
    return folder


def _facts(data: bytes) -> tuple:
    try:
        facts = image_facts(data)
    except InputError:
        return ("png",)
    return facts.suffix, facts.width, facts.height


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("check")


@pytest.fixture(scope="module")
def evaluation(folder) -> Path:
    items = [(saved(film(n)), sample(f"toy/test/{n}", group=f"e{n}")) for n in range(5)]
    items += [(saved(film(5)), sample("toy/test/5", answer=passage(REPORT)))]
    items += [(saved(film(6)), sample("toy/test/6", url="https://www.ncbi.nlm.nih.gov/pmc/articles/PMC4567890/"))]
    items += [(saved(film(7))[:900], sample("toy/test/7", group="e7"))]
    items += [(b"", sample("toy/test/8", path="", answer=passage("noradrenaline by a central line")))]
    return store(folder / "evaluation", "test", items)


@pytest.fixture(scope="module")
def train(folder) -> Path:
    cut = np.ascontiguousarray(film(2)[30:, 25:])
    records = [
        (saved(film(0)), sample("t/train/file")),
        (saved(film(1), "BMP"), sample("t/train/pixels")),
        (saved(cut, "JPEG", quality=50), sample("t/train/crop")),
        (saved(film(30)), sample("t/train/group", group="e3")),
        (saved(film(31)), sample("t/train/words", answer=passage(f"Chest film. {REPORT} <b>No</b> fracture."))),
        (saved(film(32)), sample("t/train/article", url="https://europepmc.org/article/PMC/PMC4567890")),
        (saved(film(33))[:700], sample("t/train/torn")),
    ]
    return store(folder / "train", "train", records)


@pytest.fixture(scope="module")
def out(folder, train, evaluation) -> Path:
    config = check.parse({"train": str(train), "against": [str(evaluation)]})
    (folder / "out").mkdir()
    check.run(config, folder / "out", device="cpu", log=QUIET)
    return folder / "out"


class Page(HTMLParser):
    """Collects what a page would ask for, and its images."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked, self.images = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.images += [values["alt"]] if tag == "img" else []
        self.asked += [v for k, v in attrs if k in {"src", "href"} and not v.startswith("data:")]
        assert tag != "script"


def test_each_level_finds_what_was_planted(out):
    rows = pq.read_table(out / "contamination.parquet").to_pylist()
    found = {(row["id"].rpartition("/")[2], row["rule"]): row["train_id"].rpartition("/")[2] for row in rows}
    assert found == {
        ("0", "same_file"): "file",
        ("0", "same_pixels"): "file",
        ("1", "same_pixels"): "pixels",
        ("2", "copy_of_image"): "crop",
        ("3", "group"): "group",
        ("5", "run_of_8_words"): "words",
        ("6", "pmcid"): "article",
    }
    assert not any(row["doubtful"] for row in rows) and {row["level"] for row in rows} == {"image", "source", "text"}
    (words,) = [row for row in rows if row["level"] == "text"]
    assert words["shared_words"].startswith("a large effusion") and words["num_matches"] == 1


def test_every_item_has_its_verdict(out):
    flags = {row["id"]: (row["verdict"], row["rules"]) for row in pq.read_table(out / "flags.parquet").to_pylist()}
    assert {name: verdict for name, (verdict, _) in flags.items()} == {
        **{f"toy/test/{n}": "flagged" for n in (0, 1, 2, 3, 5, 6)},
        "toy/test/4": "clean",
        "toy/test/7": "unreadable",
        "toy/test/8": "clean",
    }
    assert flags["toy/test/0"][1] == ["same_file", "same_pixels"]
    summary = json.loads((out / "contamination.json").read_text())
    assert summary["datasets"]["toy"]["verdicts"] == {"clean": 2, "flagged": 6, "unreadable": 1}
    assert (summary["train_images"], summary["train_images_unreadable"]) == (7, 1)


def test_the_page_shows_pairs_and_asks_nothing_of_the_network(out):
    text = (out / "contamination.html").read_text()
    page = Page(text)
    assert page.asked == [] and not re.search(r"url\(|@import|https?://", text)
    assert "evaluation: toy/test/2" in page.images and "training: t/train/crop" in page.images
    assert re.search(r"chest film <mark>a large effusion .* the right</mark> b no b fracture", text)


def test_the_same_check_writes_the_same_bytes(out, tmp_path, train, evaluation):
    again = tmp_path / "again"
    again.mkdir()
    check.run(check.parse({"train": str(train), "against": [str(evaluation)]}), again, device="cpu", log=QUIET)
    names = [path.relative_to(out) for path in sorted(out.rglob("*")) if path.is_file()]
    assert len(names) == 6 and all((again / name).read_bytes() == (out / name).read_bytes() for name in names)


def test_words_from_outside_are_escaped(tmp_path):
    evaluation = store(tmp_path / "evaluation", "test", [(saved(film(3)), sample("e", group="e3"))])
    bad = sample("t/train/<script>alert(1)</script>", group="e3")
    train = store(tmp_path / "bad", "train", [(saved(film(40)), bad)])
    folder = tmp_path / "out"
    folder.mkdir()
    check.run(check.parse({"train": str(train), "against": [str(evaluation)]}), folder, device="cpu", log=QUIET)
    assert "<script>" not in (folder / "contamination.html").read_text()


def test_a_published_folder_is_read_by_its_adapter(tmp_path, train):
    folder = tmp_path / "vqa_rad"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "s1.jpg").write_bytes(saved(film(0)[:, ::-1].copy(), "JPEG"))
    asked = {"image_organ": "CHEST", "answer": "no", "answer_type": "CLOSED", "question_type": "PRES"}
    row = {"qid": 1, "image_name": "s1.jpg", "question": "Is there air?", "phrase_type": "freeform", **asked}
    (folder / "testset.json").write_text(json.dumps([row]))
    config = check.parse({"train": str(train), "against": [f"vqa_rad={folder}"]})
    assert folder / "testset.json" in check.inputs(config)
    out = tmp_path / "out"
    out.mkdir()
    outcome = check.run(config, out, device="cpu", log=QUIET)
    assert outcome.counts == {"items": 1, "flagged": 1}
    (found,) = pq.read_table(out / "contamination.parquet").to_pylist()
    assert (found["id"], found["rule"], found["train_id"]) == ("vqa_rad/test/1", "copy_of_image", "t/train/file")


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"train": "x", "against": []}, "against"),
        ({"train": "x", "against": "slake"}, "must be a list"),
        ({"train": "x", "against": ["slak"]}, "Did you mean 'slake'"),
        ({"train": "x", "against": ["nothing=here"]}, "unknown dataset 'nothing'"),
        ({"train": "x", "against": ["slake"], "threshold": 8}, "unknown key 'threshold'"),
    ],
)
def test_a_wrong_recipe_is_refused(recipe, words):
    with pytest.raises(InputError, match=words):
        check.parse(recipe)


def test_missing_folders_are_named(tmp_path, train):
    with pytest.raises(InputError, match="cannot read"):
        check.inputs(check.parse({"train": str(tmp_path / "none"), "against": ["slake"]}))
    with pytest.raises(InputError, match="no folder .*slake.*Put it there"):
        check.inputs(check.parse({"train": str(train), "against": ["slake"]}))
