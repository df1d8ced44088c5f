import sys

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.curate.panels.read_labels import open_reader, read_labels

BOXES = [(0, 20, 100, 120), (110, 20, 210, 120)]


def labels(*lines):
    return read_labels(np.zeros((120, 210, 3), np.uint8), BOXES, lambda pixels: list(lines))


def test_letters_go_to_the_panel_at_whose_left_corner_they_stand():
    assert labels(("(B)", (112, 2, 124, 16)), ("a", (3, 104, 12, 116))) == ("a", "b")


def test_words_far_letters_and_two_letters_at_a_panel_are_none():
    assert labels(("Left", (2, 22, 30, 30)), ("X", (50, 60, 60, 70))) == ("", "")
    assert labels(("A", (2, 22, 10, 30)), ("C", (2, 106, 10, 116))) == ("", "")


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr_onnxruntime", None)
    with pytest.raises(InputError, match="rapidocr-onnxruntime, which is not installed.*curate"):
        open_reader()
