import numpy as np
import pytest
from PIL import Image

from films import film, saved
from osler.media.hashing import read_content
from osler.media.likeness import likeness


def content(pixels: np.ndarray, kind: str = "PNG", **options: object) -> np.ndarray:
    return read_content(saved(np.ascontiguousarray(pixels), kind, **options))


def test_a_picture_is_like_itself():
    assert likeness(film(0), film(0)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("number", range(4))
def test_a_copy_is_like_its_original(number):
    original = content(film(number))
    cut = film(number)[5:-3, 4:-6]
    small = np.asarray(Image.fromarray(cut).resize((150, 150)))
    assert likeness(original, content(small, "JPEG", quality=40)) > 0.9


def test_another_patient_is_less_like_than_any_copy():
    others = [likeness(film(a), film(b)) for a in range(6) for b in range(6) if a != b]
    assert max(others) < 0.96 and np.median(others) < 0.7


def test_a_mark_changes_a_part_only():
    marked = film(1).copy()
    marked[20:50, 30:120] = 255
    assert likeness(film(1), marked) > 0.9


def test_flat_and_tiny_pictures_have_a_likeness_too():
    flat = np.full((50, 70), 9, np.uint8)
    for first, second in ((flat, film(0)), (film(0), flat), (flat, flat), (np.zeros((1, 1), np.uint8), film(0))):
        assert np.isfinite(likeness(first, second)) and likeness(first, second) < 0.5
