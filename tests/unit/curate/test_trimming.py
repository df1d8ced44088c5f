import io

import numpy as np
import pytest
from PIL import Image

from osler.core.rng import generator
from osler.curate.trimming import trim_record
from osler.media.image import encode_png8, encode_png16
from osler.schema.media import MaskRef, VolumeSlice
from osler.schema.sample import Box, Provenance, Sample, image, passage, user

SCENE = generator(0, "trim").integers(30, 220, (100, 200)).astype(np.uint8)


def page(colour: int = 255) -> np.ndarray:
    paper = np.full((200, 400), colour, np.uint8)
    paper[40:140, 80:280] = SCENE
    return paper


def record(data: bytes | None, *, licence: str = "CC-BY-4.0", boxes: tuple[Box, ...] = (), **fields) -> dict:
    sample = Sample(
        id="toy/train/0",
        turns=(user(image("a.png", **fields), "Describe."),),
        answer=passage("A scan."),
        boxes=boxes,
        provenance=Provenance(dataset="toy", record_id="0", licence=licence),
    )
    text = sample.model_dump_json(exclude_defaults=True)
    return {"row": 0, "key": "k", "media_paths": ["a.png"], "media": [data], "samples": [text]}


def trimmed(row: dict, *colours: str) -> tuple[np.ndarray, Sample]:
    after = trim_record(row, colours=colours or ("white",), min_share=0.05)
    return np.asarray(Image.open(io.BytesIO(after["media"][0]))), Sample.model_validate_json(after["samples"][0])


def test_the_margin_goes_and_the_box_moves_along():
    box = Box(label="x", x0=80 / 400, y0=40 / 200, x1=180 / 400, y1=90 / 200)
    pixels, sample = trimmed(record(encode_png8(page()), boxes=(box,), width=400, height=200, sha256="0" * 64))
    assert np.array_equal(pixels, SCENE)
    moved = sample.boxes[0]
    assert (moved.x0, moved.y0, moved.x1, moved.y1) == pytest.approx((0, 0, 0.5, 0.5))
    assert sample.tags == ("trimmed",) and sample.id == "toy/train/0"
    assert sample.media[0].width is None and sample.media[0].sha256 == "", "they were those of the untrimmed image"


def test_black_is_trimmed_where_asked():
    row = record(encode_png8(page(0)))
    assert trimmed(row)[0].shape == (200, 400)
    assert np.array_equal(trimmed(row, "white", "black")[0], SCENE)


def test_sixteen_bits_stay_sixteen():
    values = np.full((200, 400), 4095, np.uint16)
    values[40:140, 80:280] = SCENE.astype(np.uint16) * 10
    pixels, _ = trimmed(record(encode_png16(values), bits=16))
    assert np.array_equal(pixels, values[40:140, 80:280])


SLICE = VolumeSlice(
    path="v.nii",
    sha256="0" * 64,
    plane="axial",
    index=0,
    num_slices=1,
    spacing_mm=(1, 1, 1),
    orientation="LPS",
    position_mm=(0, 0, 0),
)


@pytest.mark.parametrize(
    "row",
    [
        record(encode_png8(page()), licence="CC-BY-NC-ND-4.0"),
        record(encode_png8(page()), licence="CC BY ND"),
        record(encode_png8(page()), mask=MaskRef(path="a.mask.png", labels=("x",))),
        record(encode_png8(page()), volume_slice=SLICE),
        record(encode_png8(page()), boxes=(Box(label="x", x0=0.0, y0=0.0, x1=0.5, y1=0.5),)),
        record(encode_png8(np.full((50, 50), 255, np.uint8))),
        record(encode_png8(SCENE)),
        record(b""),
        record(encode_png8(page())[:500]),
        record(None),
    ],
    ids=[
        "ND",
        "ND with spaces",
        "mask",
        "volume",
        "box in the margin",
        "nothing else",
        "no margin",
        "empty",
        "cut short",
        "missing",
    ],
)
def test_what_must_stay_stays(row):
    assert trim_record(row, colours=("white",), min_share=0.05) == row
