import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.curate.opened import OpenRecord, rewrite_records
from osler.curate.operators.split_panels import OPERATOR
from osler.curate.plan import PlannedRecord
from osler.media.image import decode_image, encode_png8, encode_png16
from osler.media.window import full_range
from osler.schema.media import VolumeSlice
from osler.schema.sample import Box, Provenance, Sample, closed, image, passage, user

CAPTION = "One patient. (a) Before. (b) After."


def two_panels(gap=20):
    """Two films beside each other, on white: 150 x 160 and 130 x 160 pixels."""
    pixels = np.full((160, 280 + gap), 255, np.uint8)
    pixels[:, :150] = np.linspace(30, 120, 150)
    pixels[:, 150 + gap :] = np.linspace(90, 180, 160)[:, None]
    return pixels


def figure(data=None, caption=CAPTION, *, key="k", licence="CC-BY-4.0", ref=None, **fields):
    origin = Provenance(dataset="toy", record_id="f1", licence=licence)
    ref = ref or image(f"figures/{key}.jpg", width=300, height=160, sha256="x")
    words = {"id": f"toy/train/{key}", "turns": (user(ref, "Describe the figure."),), "answer": passage(caption)}
    sample = Sample(**{"task": "caption", "tags": ("pmc",), "provenance": origin, **words, **fields})
    files = {ref.path: encode_png8(two_panels()) if data is None else data}
    return OpenRecord(PlannedRecord(key, "toy", "train", Path(), {}, (sample,)), [sample], files)


def split(*records, **options):
    return rewrite_records(list(records), OPERATOR.build(OPERATOR.config.parse(options)))


def saved(picture, form, **options):
    data = io.BytesIO()
    picture.save(data, format=form, **options)
    return data.getvalue()


def test_a_figure_becomes_a_record_a_panel_with_its_own_words():
    records, drops = split(figure())
    assert [record.planned.key for record in records] == ["k-panel-a", "k-panel-b"] and drops.num_rows == 0
    samples = [record.samples[0] for record in records]
    assert [sample.id for sample in samples] == ["toy/train/k#panel-a", "toy/train/k#panel-b"]
    assert [sample.answer.text for sample in samples] == ["Before.", "After."]
    assert {sample.tags for sample in samples} == {("pmc", "panels:split")}
    assert samples[0].question == "Describe the figure." and samples[0].provenance.record_id == "f1"


def test_the_crops_are_lossless_and_their_size_is_told():
    records, _ = split(figure())
    whole = two_panels()
    for record, (x0, x1) in zip(records, [(0, 150), (170, 300)], strict=True):
        ref = record.samples[0].media[0]
        (data,) = record.files.values()
        assert list(record.files) == [ref.path] and ref.path.endswith(".png") and data.startswith(b"\x89PNG")
        assert (ref.width, ref.height, ref.bits, ref.sha256) == (x1 - x0, 160, 8, "")
        assert np.array_equal(decode_image(data)[..., 0], whole[:, x0:x1])


def test_without_letters_each_panel_keeps_the_whole_caption_and_says_so():
    records, _ = split(figure(caption="Films of one patient."))
    assert [record.samples[0].answer.text for record in records] == ["Films of one patient."] * 2
    assert records[0].samples[0].tags[-2:] == ("panels:split", "panels:whole_caption")


def test_a_licence_without_derivatives_is_never_cropped():
    records, drops = split(figure(licence="CC-BY-NC-ND-4.0"), uncertain="drop")
    assert [record.planned.key for record in records] == ["k"] and drops.num_rows == 0
    assert records[0].samples[0].tags == ("pmc", "panels:no_derivatives")
    assert records[0].files == figure().files


def test_a_caption_that_names_more_panels_than_were_found_leaves_the_figure_whole():
    caption = "(a) x. (b) y. (c) z."
    records, drops = split(figure(caption=caption))
    assert records[0].samples[0].tags[-1] == "panels:uncertain" and len(records) == 1 and drops.num_rows == 0
    assert records[0].samples[0].answer.text == caption
    records, drops = split(figure(caption=caption), uncertain="drop")
    assert records == [] and drops["id"].to_pylist() == ["toy/train/k"]
    assert drops["reason"].to_pylist() == ["panels uncertain: the caption names 3 panels, 2 were found"]


def test_a_figure_of_one_panel_stays_as_it_is():
    single = encode_png8(two_panels()[:, :150])
    records, _ = split(figure(single, "A film."))
    assert len(records) == 1 and records[0].samples[0].tags[-1] == "panels:single"
    assert list(records[0].files.values()) == [single]


def test_what_is_no_captioned_figure_is_not_touched():
    slice_ = VolumeSlice(
        path="v", sha256="", plane="axial", index=0, num_slices=2, spacing_mm=(1, 1, 1), orientation="LPS",
        position_mm=(0, 0, 0),
    )  # fmt: skip
    others = [
        figure(key="q", task="vqa"),
        figure(key="c", answer=closed("yes")),
        figure(key="b", boxes=(Box(label="x", x0=0, y0=0, x1=1, y1=1),)),
        figure(key="v", ref=image("v.png", volume_slice=slice_)),
    ]
    two = figure(key="t", turns=(user(image("a.png"), image("b.png"), "Describe."),))
    two.files = {"a.png": b"", "b.png": b""}
    missing = figure(key="m")
    missing.files = {"figures/m.jpg": None}
    records, drops = split(*others, two, missing)
    assert [record.samples[0].tags for record in records] == [("pmc",)] * 6 and drops.num_rows == 0
    assert len(split(figure(task="figure"), tasks=["figure"])[0]) == 2


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "P", "LA"])
def test_every_kind_of_8_bit_picture_is_cut(mode):
    form = {"CMYK": "JPEG"}.get(mode, "PNG")
    data = saved(Image.fromarray(two_panels()).convert(mode), form)
    records, _ = split(figure(data))
    assert len(records) == 2 and all(file.startswith(b"\x89PNG") for r in records for file in r.files.values())
    assert decode_image(next(iter(records[1].files.values()))).shape[0] == 160


def test_16_bit_gray_is_cut_as_it_is_shown_or_left_whole_without_a_window():
    deep = encode_png16(two_panels().astype(np.uint16) * 257)
    records, _ = split(figure(deep, ref=image("d.png", bits=16, window=full_range(16))))
    ref = records[0].samples[0].media[0]
    assert len(records) == 2 and ref.bits == 8 and ref.window is None
    records, _ = split(figure(deep, ref=image("d.png", bits=16)))
    assert len(records) == 1 and records[0].samples[0].tags[-1] == "panels:unreadable"


@pytest.mark.parametrize("data", [b"", b"text", encode_png8(two_panels())[:-40]])
def test_a_broken_picture_is_left_to_the_operator_that_drops_it(data):
    records, drops = split(figure(data), uncertain="drop")
    assert list(records[0].files.values()) == [data] and drops.num_rows == 0
    assert records[0].samples[0].tags[-1] == "panels:unreadable"


def test_a_picture_of_more_pixels_than_can_be_trusted_is_left_whole(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    records, _ = split(figure())
    assert records[0].samples[0].tags[-1] == "panels:unreadable"


def test_a_picture_of_one_pixel_is_one_panel():
    records, _ = split(figure(encode_png8(np.zeros((1, 1), np.uint8)), "Dot."))
    assert records[0].samples[0].tags[-1] == "panels:single"


def test_two_captions_of_one_figure_each_get_their_part():
    record = figure()
    other = record.samples[0].model_copy(update={"id": "toy/train/k2", "answer": passage("A. Old. B. New.")})
    record.samples.append(other)
    records, _ = split(record)
    assert [[s.answer.text for s in r.samples] for r in records] == [["Before.", "Old."], ["After.", "New."]]


def test_a_long_key_stays_within_what_a_shard_takes():
    key = "x" * 67 + "-0123456789ab"
    records, _ = split(figure(key=key))
    keys = [record.planned.key for record in records]
    assert all(len(k) == 80 and k.endswith(("0123456789ab-panel-a", "0123456789ab-panel-b")) for k in keys)


def test_it_travels_to_another_process_and_refuses_a_detector_that_is_none(tmp_path):
    apply = pickle.loads(pickle.dumps(OPERATOR.build(OPERATOR.config())))  # noqa: S301 - made here
    assert len(rewrite_records([figure()], apply)[0]) == 2
    pytest.importorskip("onnxruntime")
    (tmp_path / "none.onnx").write_bytes(b"none")
    with pytest.raises(InputError, match="no ONNX model"):
        split(figure(), detector={"path": str(tmp_path / "none.onnx")})
