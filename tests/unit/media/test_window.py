import numpy as np
import pytest

from osler.core.errors import InputError
from osler.media.window import apply_window, full_range, spanning
from osler.schema.media import Window


def test_a_window_is_linear_between_its_edges():
    values = np.array([[-500.0, -160.0, 40.0, 240.0, 3000.0]])
    assert apply_window(values, Window(center=40, width=400)).tolist() == [[0, 0, 128, 255, 255]]
    assert apply_window(values, Window(center=40, width=400)).dtype == np.uint8


def test_large_images_get_the_same_values_as_small():
    values = np.arange(1 << 16, dtype=np.uint16)
    window = Window(center=1000.3, width=777.7)
    large = apply_window(np.concatenate([values, values]), window)
    assert np.array_equal(large[: 1 << 16], apply_window(values, window))


def test_full_range_shows_all_bits():
    assert apply_window(np.array([0, 4095], np.uint16), full_range(12)).tolist() == [0, 255]
    assert full_range(16) == Window(center=32767.5, width=65535)


def test_a_window_spans_two_values_and_has_a_width_where_they_are_one():
    values = np.array([100, 200, 300], np.uint16)
    assert apply_window(values, spanning(100, 300)).tolist() == [0, 128, 255]
    assert spanning(7, 7) == Window(center=7, width=1)
    assert spanning(0.0, 0.5) == Window(center=0.25, width=0.5)
    assert spanning(0.0, 0.5, least_width=1.0) == Window(center=0.25, width=1)


@pytest.mark.parametrize("width", [0, -1, float("nan")])
def test_a_window_without_width_is_refused(width):
    with pytest.raises(InputError, match="width of an intensity window must be above 0"):
        apply_window(np.zeros(2), Window(center=0, width=width))
