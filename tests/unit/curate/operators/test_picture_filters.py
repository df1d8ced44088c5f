import io
import warnings

import numpy as np
import pyarrow as pa
import pytest
from picture_world import BROKEN, applied, jpeg, png, reasons, record_table, scene
from PIL import Image, ImageFilter

from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.curate.operator import RECORDS
from osler.media.image import encode_png16

FILTERS = [
    "drop_small_image",
    "drop_extreme_aspect",
    "drop_borders",
    "drop_blurred",
    "drop_compressed",
    "drop_flat",
    "drop_overlaid_text",
    "drop_screenshot",
    "drop_narrator",
]
HEADER_ONLY = {"drop_small_image", "drop_extreme_aspect"}


def page(colour: int) -> Image.Image:
    paper = Image.new("L", (600, 600), colour)
    paper.paste(scene(200, 200), (150, 90))
    return paper


SPOILT = {
    "drop_small_image": (png(scene(100, 300)), "shorter side in px too low: 100 below 112"),
    "drop_extreme_aspect": (png(scene(900, 120)), "aspect ratio too high: 7.5 above 5"),
    "drop_borders": (png(page(255)), "white margin too high: 0.8"),
    "drop_blurred": (png(scene().filter(ImageFilter.GaussianBlur(3))), "sharpness too low: "),
    "drop_compressed": (jpeg(scene(), 8), "JPEG quality too low: "),
    "drop_flat": (png(Image.new("L", (256, 256), 80)), "entropy too low: 0 below 2"),
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_read_is_dropped_with_a_reason(name, how):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept = applied(name, BROKEN[how], png(scene()))
    if name in HEADER_ONLY and how not in {"zero bytes", "text"}:
        return
    assert kept.table["row"].to_pylist() == [1]
    assert reasons(kept)[0].startswith("image unreadable: 0.png: ")


@pytest.mark.parametrize("name", FILTERS)
def test_a_missing_file_is_left_to_another_operator(name):
    assert applied(name, None, png(scene())).drops.num_rows == 0


@pytest.mark.parametrize("name", SPOILT)
def test_the_reason_tells_what_was_measured_and_the_limit(name):
    data, reason = SPOILT[name]
    kept = applied(name, png(scene()), data)
    assert kept.table["row"].to_pylist() == [0]
    row = kept.drops.to_pylist()[0]
    assert row["reason"].startswith(reason) and "(1.png)" in row["reason"]
    assert row["rule"] == name and row["score"] is not None and row["matched_id"] == ""


def test_each_filter_minds_its_own_fault():
    for name in SPOILT:
        for other, (data, _) in SPOILT.items():
            if name != other and other not in {"drop_flat", "drop_compressed", "drop_borders"}:
                assert applied(name, data).drops.num_rows == 0, f"{name} drops what {other} is for"


def test_a_record_goes_with_the_first_bad_picture():
    row = record_table(png(scene())).to_pylist()[0]
    row |= {"media": [png(scene()), SPOILT["drop_flat"][0]], "media_paths": ["a.png", "b.png"]}
    operator = OPERATORS.load("drop_flat")
    kept = operator.build(operator.config())(pa.Table.from_pylist([row], schema=RECORDS))
    assert kept.drops.num_rows == 1 and "(b.png)" in reasons(kept)[0]


@pytest.mark.parametrize("name", [n for n in FILTERS if n != "drop_overlaid_text"])
def test_twelve_bits_in_sixteen_are_looked_at_as_they_would_be_shown(name):
    values = np.asarray(scene()).astype(np.uint16) * 16
    assert applied(name, encode_png16(values)).drops.num_rows == 0


def test_an_enlarged_picture_is_found_though_it_is_sharp():
    small = scene(64, 64).resize((256, 256), Image.Resampling.BICUBIC)
    kept = applied("drop_blurred", png(small), min_sharpness=0)
    assert reasons(kept)[0].startswith("detail too low: 0.")
    assert applied("drop_blurred", png(small), min_sharpness=0, min_detail=0).drops.num_rows == 0


def test_blocks_are_seen_in_a_png_that_was_a_jpeg_and_is_cropped():
    bad = Image.open(io.BytesIO(jpeg(scene(512, 512), 6))).crop((3, 5, 500, 490))
    kept = applied("drop_compressed", png(bad), png(scene(512, 512)))
    assert kept.table["row"].to_pylist() == [1] and reasons(kept)[0].startswith("blockiness too high: ")


def test_black_around_a_scan_is_no_fault_until_it_is_nearly_all():
    assert applied("drop_borders", png(page(0)), max_black=0.95).drops.num_rows == 0
    assert reasons(applied("drop_borders", png(page(0))))[0].startswith("black margin too high: ")


def test_colour_can_be_asked_for():
    tinted = Image.merge("RGB", [scene(seed=n) for n in range(3)])
    kept = applied("drop_flat", png(scene()), png(tinted), min_colourfulness=10)
    assert kept.table["row"].to_pylist() == [1] and reasons(kept)[0].startswith("colourfulness too low: 0 below 10")


@pytest.mark.parametrize(
    ("name", "options"), [("drop_extreme_aspect", {"max_ratio": 0.5}), ("drop_flat", {"min_entropy": 9})]
)
def test_a_limit_that_makes_no_sense_is_refused(name, options):
    with pytest.raises(InputError, match=f"operator {name}"):
        applied(name, **options)
