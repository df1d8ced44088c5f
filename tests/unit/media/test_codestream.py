"""Sizes in the headers of compressed frames."""

import pytest

from osler.media.codestream import FrameSize, frame_size
from studies_world import picture_file


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_the_size_of_a_frame_is_read_from_its_header(kind):
    data = picture_file(kind, 30, 70)
    assert frame_size(data) == FrameSize(30, 70, 1, 8)
    assert frame_size(data[data.index(b"\xff\x4f\xff\x51") :] if kind == "JPEG2000" else data) == FrameSize(
        30, 70, 1, 8
    )


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_a_header_that_is_cut_off_has_no_size(kind):
    data = picture_file(kind, 30, 70)
    whole = frame_size(data)
    for size in range(0, 200):
        assert frame_size(data[:size]) in {None, whole}
    assert frame_size(data[:12]) is None


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\x00\x00", b"\xff\xd8\xff\xe0\x00\x00" + bytes(9), b"RIFF"]
)
def test_what_is_no_frame_has_no_size(data):
    assert frame_size(data) is None


def test_a_box_that_has_no_length_ends_the_search():
    data = picture_file("JPEG2000", 30, 70)
    second = data.index(b"ftyp") - 4
    for length in (0, 1, 7):
        assert frame_size(data[:second] + length.to_bytes(4, "big") + data[second + 4 :]) is None
