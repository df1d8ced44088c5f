from pathlib import Path

import pytest

from osler.curate.audit import Counting, SetAudit, Tiling
from osler.curate.mixture import Terms
from osler.datasets.dataset import Draft
from osler.schema.sample import Provenance, Sample, closed, image, user

IMAGES = Path(__file__).parents[2] / "fixtures" / "datasets" / "vqa_rad" / "images"
TILING = Tiling(tile_px=8, min_tiles=1, max_tiles=4)


def draft(number: int, *paths: str) -> Draft:
    origin = Provenance(dataset="toy", record_id=str(number), licence="MIT")
    turns = (user(*(image(path) for path in paths), "Why?"),)
    return Draft(f"toy/train/{number}", Sample(turns=turns, answer=closed("no"), provenance=origin))


@pytest.fixture
def counting(tmp_path) -> Counting:
    for name in ("synpic1.jpg", "synpic2.jpg"):
        (tmp_path / name).write_bytes((IMAGES / name).read_bytes())
    return Counting(SetAudit(Terms("toy", "MIT", "open"), "train", 9, is_here=True), tmp_path, TILING)


def test_rows_images_and_tiles_are_counted(counting):
    counting.add(draft(0, "synpic1.jpg"), None)
    counting.add(draft(1, "synpic1.jpg", "synpic2.jpg"), None)
    counting.add(draft(2, "synpic2.jpg"), ("cap", "beyond the cap: 2"))
    counting.add(Draft("toy/train/3", None, skip="no answer: x"), None)
    audit = counting.finish()
    assert (audit.read, audit.kept, audit.images, audit.missing) == (4, 2, 2, 0)
    assert audit.dropped == {"cap: beyond the cap": 1, "adapter: no answer": 1}
    assert audit.licences == {"MIT": 2} and audit.text_tokens == 20
    assert audit.tiles == 3 * 5 and audit.size == 2  # 24 x 18 pixels are four tiles and a thumbnail


def test_tiles_of_images_that_are_not_here_are_not_guessed(counting):
    (counting.root / "broken.jpg").write_bytes(b"<html>")
    for number, name in enumerate(["synpic1.jpg", "gone.jpg", "gone.jpg", "broken.jpg"]):
        counting.add(draft(number, name), None)
    audit = counting.finish()
    assert audit.tiles is None and (audit.images, audit.missing, audit.kept) == (3, 2, 4)


def test_a_long_header_is_read_to_its_end(counting):
    data = (IMAGES / "synpic1.jpg").read_bytes()
    comment = b"\xff\xfe" + (60_002).to_bytes(2, "big") + b" " * 60_000
    (counting.root / "long.jpg").write_bytes(data[:2] + comment * 2 + data[2:])
    counting.add(draft(0, "long.jpg"), None)
    assert counting.finish().tiles == 5


def test_the_size_of_a_set_is_what_is_known(counting):
    terms = Terms("toy", "MIT", "open")
    assert SetAudit(terms, "train", 9, expected=7).size == 7 and SetAudit(terms, "train", 9).size is None
    assert SetAudit(terms, "train", 9, expected=9, left_out="another stage").size == 0
