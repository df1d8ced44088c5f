import io

import numpy as np
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.curate.panels.score import PanelCounts, score_panels
from osler.curate.panels.xy_cut import find_panels
from osler.synth.compound.figure import draw_figure


def sheet(width, height, ground=255):
    return np.full((height, width, 3), ground, np.uint8)


def film(seed, width=140, height=120):
    """A gray picture with bright margins and grain."""
    noise = generator(seed, "film").normal(0, 4, (height, width, 1))
    tone = 90 + 50 * np.sin(np.linspace(seed, seed + 5, width))[None, :, None]
    return np.repeat(tone + noise, 3, axis=2).clip(0, 255).astype(np.uint8)


def two_by_two(gutter, ground):
    pixels = sheet(280 + gutter, 240 + gutter, ground)
    boxes = []
    for number in range(4):
        x, y = (number % 2) * (140 + gutter), (number // 2) * (120 + gutter)
        pixels[y : y + 120, x : x + 140] = film(number) if number % 3 else 255 - film(number)
        boxes.append((x, y, x + 140, y + 120))
    return pixels, boxes


@pytest.mark.parametrize(("gutter", "ground"), [(10, 255), (3, 255), (6, 0)])
def test_gutters_are_found_and_the_boxes_fit(gutter, ground):
    pixels, boxes = two_by_two(gutter, ground)
    layout = find_panels(pixels)
    assert np.abs(np.array(layout.boxes) - boxes).max() <= 2
    assert not layout.uncertain and layout.confidence >= 0.5


def test_pictures_without_a_gap_are_parted_at_the_edge():
    pixels, boxes = two_by_two(0, 255)
    layout = find_panels(pixels)
    assert np.abs(np.array(layout.boxes) - boxes).max() <= 2


def test_jpeg_does_not_hide_a_gutter():
    pixels, boxes = two_by_two(5, 255)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format="JPEG", quality=70)
    layout = find_panels(np.array(Image.open(data)))
    assert np.abs(np.array(layout.boxes) - boxes).max() <= 2


def test_one_picture_stays_whole():
    layout = find_panels(film(0, 400, 300))
    assert layout.boxes == ((0, 0, 400, 300),) and not layout.uncertain


def test_an_axis_one_pixel_thin_holds_a_plot_together():
    pixels = sheet(400, 300)
    for x in range(60, 400, 90):
        pixels[60:260, x : x + 40] = (30, 60, 200)
    bars = find_panels(pixels)
    pixels[262, 30:395] = 0
    plot = find_panels(pixels)
    assert len(bars.boxes) == 4 and plot.boxes == ((0, 0, 400, 300),)


def test_a_line_around_the_figure_does_not_hold_the_panels_together():
    pixels = sheet(420, 200)
    pixels[20:180, 20:200], pixels[20:180, 220:400] = film(0, 180, 160), film(1, 180, 160)
    pixels[[0, -1]] = pixels[:, [0, -1]] = 40
    layout = find_panels(pixels)
    assert [box[0] for box in layout.boxes] == [20, 220] and not layout.uncertain


def test_a_black_margin_is_no_panel():
    pixels = sheet(400, 400, 0)
    pixels[:300] = 255 - film(2, 400, 300) // 2
    assert len(find_panels(pixels).boxes) == 1


def test_a_narrow_gap_between_drawings_is_uncertain():
    pixels = sheet(420, 300)
    for x in (0, 210):
        pixels[10:290, x + 4] = pixels[280, x : x + 208] = 0
    layout = find_panels(pixels)
    assert len(layout.boxes) == 2 and layout.uncertain == "a narrow gap may lie inside a drawing"


def test_a_letter_above_a_picture_is_no_panel():
    pixels = sheet(420, 200)
    for x in (0, 220):
        pixels[40:200, x : x + 200] = film(x, 200, 160)
        pixels[8:24, x + 2 : x + 12] = 0
    layout = find_panels(pixels)
    assert [box[0] for box in layout.boxes] == [0, 220]


def test_pictures_on_their_own_black_ground_are_parted_but_uncertain():
    y, x = np.mgrid[:200, :400]
    pixels = sheet(400, 200, 0)
    for middle in (100, 300):
        pixels[np.hypot(x - middle, y - 100) < 80] = 150
    layout = find_panels(pixels)
    assert len(layout.boxes) == 2 and "black gap" in layout.uncertain
    assert not find_panels(pixels, min_confidence=0.3).uncertain


def test_a_sheet_of_many_pieces_is_uncertain():
    pixels = sheet(700, 700)
    for place in range(49):
        x, y = 100 * (place % 7), 100 * (place // 7)
        pixels[y : y + 80, x : x + 80] = film(place, 80, 80)
    assert find_panels(pixels).uncertain == "more than 30 pieces"


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (3, 2, 3), (47, 300)])
def test_what_is_too_small_to_hold_panels_stays_whole(shape):
    layout = find_panels(np.zeros(shape, np.uint8))
    assert layout.boxes == ((0, 0, shape[1], shape[0]),) and not layout.uncertain


@pytest.mark.parametrize("tone", [0, 127, 255])
def test_a_blank_figure_is_one_panel(tone):
    assert find_panels(np.full((300, 200), tone, np.uint8)).boxes == ((0, 0, 200, 300),)


def test_a_huge_figure_keeps_its_scale():
    pixels, boxes = two_by_two(8, 255)
    large = pixels.repeat(9, axis=0).repeat(9, axis=1)
    layout = find_panels(large[..., 0])
    assert np.abs(np.array(layout.boxes) - 9 * np.array(boxes)).max() <= 18


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9), np.uint16), np.zeros((9, 9, 4), np.uint8), np.zeros((0, 9), np.uint8)]
)
def test_other_pixels_are_refused(pixels):
    with pytest.raises(InputError, match="cannot look for panels; expected uint8"):
        find_panels(pixels)


@pytest.mark.parametrize(("kind", "least"), [("white", 0.95), ("plots", 0.9), ("black", 0.8), ("single_plot", 1)])
def test_drawn_figures_come_apart(kind, least):
    counts = PanelCounts()
    for number in range(4):
        figure = draw_figure(kind, number, seed=3)
        counts += score_panels(figure.boxes, find_panels(figure.pixels).boxes)
    assert counts.f1 >= least
