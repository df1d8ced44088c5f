import numpy as np
import pyarrow as pa
import pytest
from picture_world import applied, png, reasons, record_table, scene
from PIL import Image, ImageDraw, ImageFont

from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.curate.operator import REWRITES
from osler.curate.operators.drop_overlaid_text import text_fault
from osler.curate.operators.drop_screenshot import screen_fault
from osler.media.lettering import TextBox
from osler.schema.sample import Sample, image, passage, user
from yunet import yunet

LIMITS = {"max_text_share": 0.1, "max_words": 30, "min_strokes": 0.01}

pytest.importorskip("cv2", exc_type=ImportError)


def written(*lines: str, size: int = 16) -> bytes:
    picture = scene(400, 400)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for number, line in enumerate(lines):
        draw.text((10, 20 + 1.4 * size * number), line, font=font, fill=255, stroke_width=1, stroke_fill=0)
    return png(picture)


def test_the_slow_detector_sees_only_what_the_quick_look_lets_through():
    asked = []
    text_fault(png(scene()), find=lambda rgb: asked.append(rgb.shape) or [], **LIMITS)
    assert asked == []
    text_fault(written("Patient seen in clinic"), find=lambda rgb: asked.append(rgb.shape) or [], **LIMITS)
    assert asked == [(400, 400, 3)]
    text_fault(png(scene()), find=lambda rgb: asked.append(rgb.shape) or [], **{**LIMITS, "min_strokes": 0})
    assert len(asked) == 2


def test_text_is_too_much_by_area_or_by_words():
    page = written("Patient seen in clinic")
    wide = [TextBox("word", 0, 0, 400, 60, 0.9)]
    assert text_fault(page, find=lambda rgb: wide, **LIMITS).reason == "text share too high: 0.15 above 0.1"
    many = [TextBox("one two three four", 0, 10 * n, 40, 10 * n + 8, 0.9) for n in range(8)]
    assert text_fault(page, find=lambda rgb: many, **LIMITS).reason == "number of words too high: 32 above 30"
    signs = [TextBox("®", 0, 0, 400, 400, 0.9)]
    assert text_fault(page, find=lambda rgb: signs, **LIMITS) is None


def test_written_pictures_are_dropped_and_a_marker_of_side_is_not():
    pytest.importorskip("rapidocr_onnxruntime", exc_type=ImportError)
    page = written("The patient was seen", "with a large opacity", size=24)
    kept = applied("drop_overlaid_text", page, written("L", size=40), max_words=3, min_strokes=0)
    assert kept.table["row"].to_pylist() == [1] and reasons(kept)[0].startswith("number of words too high: ")


def window(lines: int) -> bytes:
    picture = Image.new("L", (640, 480), 0)
    picture.paste(scene(640, 430), (0, 30))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 640, 29), fill=120)
    for n in range(lines):
        draw.line((0, 50 + 20 * n, 640, 50 + 20 * n), fill=255)
    return png(picture)


def test_a_bar_needs_one_more_sign_of_a_screen():
    assert applied("drop_screenshot", window(6)).drops.num_rows == 1
    assert applied("drop_screenshot", window(0)).drops.num_rows == 0
    assert reasons(applied("drop_screenshot", window(6)))[0].startswith("screen with bar and lines: ")
    limits = {"min_lines": 4, "min_flat_share": 0.25}
    fault = screen_fault(window(0), words=lambda data: 40, min_words=15, **limits)
    assert fault.reason == "screen with bar and words: 40 words, limit 15"
    assert screen_fault(png(scene()), words=lambda data: 1 / 0, min_words=15, **limits) is None, "asked last"


def test_faces_need_weights(tmp_path):
    for options in ({}, {"weights": str(tmp_path / "none.onnx")}):
        with pytest.raises(InputError, match="operator drop_faces.*needs a face detector.*YuNet"):
            applied("drop_faces", png(scene()), **options)
    (tmp_path / "bad.onnx").write_bytes(b"text")
    with pytest.raises(InputError, match="no face detector that OpenCV can run"):
        applied("drop_faces", png(scene()), weights=str(tmp_path / "bad.onnx"))


def test_faces_are_dropped_if_large_enough(tmp_path):
    (tmp_path / "yunet.onnx").write_bytes(yunet())
    bright = scene()
    bright.paste(255, (64, 64, 192, 192))
    weights = {"weights": str(tmp_path / "yunet.onnx")}
    kept = applied("drop_faces", png(scene()), png(bright), **weights)
    assert kept.table["row"].to_pylist() == [0] and reasons(kept) == ["face: score 1.00 (1.png)"]
    assert applied("drop_faces", png(bright), min_share=0.5, **weights).drops.num_rows == 0


def tagged(name: str, caption: str, **fields) -> Sample:
    sample = Sample(id="t/0", turns=(user(image("0.png"), "Describe."),), answer=passage(caption), **fields)
    text = sample.model_dump_json(exclude_defaults=True)
    row = {**record_table(None).to_pylist()[0], "samples": [text]}
    operator = OPERATORS.load(name)
    kept = operator.build(operator.config())(pa.Table.from_pylist([row], schema=REWRITES))
    assert kept.drops.num_rows == 0 and kept.table.schema == REWRITES
    return Sample.model_validate_json(kept.table["samples"].to_pylist()[0][0])


def test_a_tag_is_set_only_where_there_was_none():
    sample = tagged("tag_modality", "CT of the liver")
    assert sample.modality == "ct" and sample.tags == ("modality:by_caption",)
    assert tagged("tag_modality", "CT of the liver", modality="radiology").modality == "ct"
    kept = tagged("tag_modality", "CT of the liver", modality="mri", tags=("a",))
    assert kept.modality == "mri" and kept.tags == ("a",)
    assert tagged("tag_modality", "CT and MRI").modality == ""
    part = tagged("tag_body_part", "A mass.", tags=("mesh:Liver Neoplasms",))
    assert part.body_part == "abdomen" and part.tags == ("mesh:Liver Neoplasms", "body_part:by_caption")


def test_a_vocabulary_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no vocabulary 'none'"):
        OPERATORS.load("tag_modality").config.parse({"vocabulary": "none"}, "operator tag_modality")


def test_margins_are_trimmed_by_the_operator():
    paper = np.full((300, 300), 255, np.uint8)
    paper[50:200, 50:200] = np.asarray(scene(150, 150)).clip(0, 200)
    sample = Sample(id="t/0", turns=(user(image("0.png"), "Describe."),), answer=passage("A scan."))
    row = {**record_table(png(Image.fromarray(paper))).to_pylist()[0], "samples": [sample.model_dump_json()]}
    operator = OPERATORS.load("trim_borders")
    kept = operator.build(operator.config())(pa.Table.from_pylist([row], schema=REWRITES))
    after = kept.table.to_pylist()[0]
    assert kept.drops.num_rows == 0 and after["key"] == row["key"] and after["media"] != row["media"]
    assert Sample.model_validate_json(after["samples"][0]).tags == ("trimmed",)
