"""Burned-in text: painted over, markers left, searched again."""

import numpy as np
import pytest

from identities import gradient
from osler.media.deid_ocr import Found
from osler.media.deid_pixels import Picture, Unfit, equalised, mask_text


class Told:
    """A finder that gives what it was told, one list a call."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def find(self, view):
        return self.answers.pop(0) if self.answers else []


def gray(pixels, bits=12, inverted=False) -> Picture:
    return Picture(pixels[None] if pixels.ndim == 2 else pixels, bits, inverted)


def test_what_stands_in_one_frame_is_painted_in_all():
    frames = np.stack([gradient(), gradient()])
    frames[1, 0, 0] = 1
    told = Told([], [], [Found((10, 10, 40, 20), False)], [])
    clean, boxes = mask_text(gray(frames), told, None)
    assert boxes == 1 and (clean.frames[:, 10:20, 10:40] == clean.black).all()


def test_black_is_what_is_shown_black():
    frames = gradient()[None]
    assert Picture(frames, 12, inverted=False).black == 0
    assert Picture(frames, 12, inverted=True).black == frames.max()
    assert Picture((frames.astype(np.int16) - 1000), 12, inverted=False).black == -1000


def test_text_that_stays_or_covers_everything_is_unfit():
    boxes = [[Found((n * 9, 0, n * 9 + 4, 4), False)] for n in range(20)]
    with pytest.raises(Unfit, match="left after masking"):
        mask_text(gray(gradient()), Told(*boxes), None)
    with pytest.raises(Unfit, match="covers too much"):
        mask_text(gray(gradient()), Told([Found((0, 0, 128, 80), False)]), None)


def test_a_marker_alone_changes_nothing():
    clean, boxes = mask_text(gray(gradient()), Told([Found((5, 5, 15, 15), True)]), None)
    assert boxes == 0 and (clean.frames[0] == gradient()).all()


def test_equalised_separates_neighbouring_values():
    frame = np.full((40, 40), 1000, np.uint16)
    frame[:, 20:] = 1001
    low, high = np.unique(equalised(frame))
    assert high - low > 100
    assert len(np.unique(equalised(np.zeros((4, 4), np.uint8)))) == 1
