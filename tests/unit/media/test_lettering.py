import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.media.lettering import TextBox, TextFinder, covered_share, num_words, stroke_share, without_markers


def scan() -> np.ndarray:
    random = generator(0, "lettering")
    coarse = Image.fromarray(random.integers(20, 200, (8, 8)).astype(np.uint8))
    soft = np.asarray(coarse.resize((384, 384), Image.Resampling.BICUBIC)).astype(np.float32)
    return (soft + random.normal(0, 4, soft.shape)).clip(0, 255).astype(np.uint8)


def written(size: int, *lines: str) -> np.ndarray:
    picture = Image.fromarray(scan())
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for number, line in enumerate(lines):
        draw.text((20, 40 + 1.3 * size * number), line, font=font, fill=255, stroke_width=1, stroke_fill=0)
    return np.asarray(picture)


@pytest.mark.parametrize("size", [12, 20, 40])
def test_writing_makes_rows_of_strokes(size):
    assert stroke_share(scan()) == 0
    assert stroke_share(written(size, "Patient seen in clinic", "compare prior film")) > 0.01


def test_an_edge_is_no_writing():
    halves = np.zeros((256, 256), np.uint8)
    halves[:, 100:] = 220
    assert stroke_share(halves) == 0 and stroke_share(halves.T) == 0


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (300, 7), (8, 24)])
def test_the_smallest_pictures_have_no_writing(shape):
    assert stroke_share(np.zeros(shape, np.uint8)) == 0


def box(text: str, *corners: float) -> TextBox:
    return TextBox(text, *(corners or (0, 0, 10, 10)), score=0.9)


def test_markers_of_side_are_let_through():
    boxes = [box("L"), box("(R)"), box(" left "), box("RT."), box("L2"), box("Right lung")]
    assert [b.text for b in without_markers(boxes)] == ["L2", "Right lung"]
    assert [b.text for b in without_markers(boxes, ["l2"])] == ["L", "(R)", " left ", "RT.", "Right lung"]


def test_words_are_those_with_letters_or_digits():
    assert num_words([box("SP -170.8 mm"), box("®"), box("TR: 10:21")]) == 5


def test_area_is_counted_once():
    assert covered_share([box("a", 0, 0, 10, 10), box("b", 5, 0, 15, 10)], width=20, height=20) == 150 / 400
    assert covered_share([box("a", -5, -5, 100, 100)], width=20, height=20) == 1
    assert covered_share([], width=5, height=5) == 0


def test_words_are_found_and_read():
    pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
    finder = TextFinder()
    rgb = np.repeat(written(28, "Patient Smith")[:, :, None], 3, axis=2)
    found = finder.find(rgb)
    assert "Smith" in " ".join(b.text for b in found) and all(0 < b.area < 0.3 * rgb[..., 0].size for b in found)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(InputError, match="rapidocr_onnxruntime.*curate"):
        TextFinder()
