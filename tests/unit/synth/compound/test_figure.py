import numpy as np
import pytest

from osler.curate.panels.boxes import overlap
from osler.curate.panels.captions import caption_parts
from osler.synth.compound.figure import KINDS, draw_figure


@pytest.mark.parametrize("kind", KINDS)
def test_panels_lie_on_the_sheet_and_apart(kind):
    for number in range(2):
        figure = draw_figure(kind, number, seed=5)
        height, width = figure.pixels.shape[:2]
        assert figure.pixels.dtype == np.uint8 and figure.pixels.shape[2] == 3
        assert (len(figure.boxes) == 1) == kind.startswith("single")
        for place, box in enumerate(figure.boxes):
            assert 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height
            assert not any(overlap(box, other) for other in figure.boxes[:place])
            assert np.ptp(figure.pixels[box[1] : box[3], box[0] : box[2]]) > 30, "something is drawn"
        assert len(figure.labels) == len(figure.parts) == len(figure.boxes)


def test_the_same_arguments_give_the_same_figure_and_others_another():
    one, same = draw_figure("mixed", 3, seed=1), draw_figure("mixed", 3, seed=1)
    assert np.array_equal(one.pixels, same.pixels) and (one.boxes, one.caption) == (same.boxes, same.caption)
    for other in (draw_figure("mixed", 4, seed=1), draw_figure("mixed", 3, seed=2)):
        assert other.boxes != one.boxes or not np.array_equal(other.pixels, one.pixels)


def test_captions_name_the_labels_that_are_drawn():
    figures = [draw_figure("white", number) for number in range(12)]
    labelled = [figure for figure in figures if figure.labels[0]]
    assert labelled and len(labelled) < len(figures)
    for figure in labelled:
        found = caption_parts(figure.caption)
        assert [label.upper() for label in found.labels] == list(figure.labels)
        assert [part.text for part in found.parts] == list(figure.parts)


def test_white_gutters_are_white_and_gapless_panels_touch():
    white = draw_figure("white", 1)
    mask = np.ones(white.pixels.shape[:2], bool)
    for x0, y0, x1, y1 in white.boxes:
        mask[max(0, y0 - 40) : y1 + 2, max(0, x0 - 2) : x1 + 2] = False
    assert not mask.any() or np.median(white.pixels[mask]) == 255
    gapless = draw_figure("gapless", 1)
    covered = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in gapless.boxes)
    assert covered == gapless.pixels.shape[0] * gapless.pixels.shape[1]
