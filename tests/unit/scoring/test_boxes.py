"""Boxes in words: read in thousandths or fractions, paired one to one, nothing gained by many."""

import pytest

from osler.scoring.boxes import box_iou, box_overlap, read_boxes

LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.6, 0.0, 1.0, 1.0)


def test_both_scales_and_several_boxes_are_read():
    assert read_boxes("at <box>[[100, 200, 500, 1000]]</box>") == [(0.1, 0.2, 0.5, 1.0)]
    assert read_boxes("<box>[.1, 0.2, 0.5, 1]</box>") == [(0.1, 0.2, 0.5, 1.0)]
    assert len(read_boxes("<box>[[0, 0, 10, 10], [20, 20, 30, 30]]</box> and <box>[1, 2, 30, 40]</box>")) == 3


def test_numbers_outside_of_the_marks_are_no_boxes():
    assert read_boxes("[0, 0, 500, 500] nothing <box>none</box> <box>[1, 2, 3]</box>") == []


@pytest.mark.parametrize("box", ["[500, 0, 100, 500]", "[0, 0, 1200, 500]", "[10, 10, 10, 10]"])
def test_a_box_that_is_none_counts_and_overlaps_nothing(box):
    given = read_boxes(f"<box>{box}</box>")
    assert len(given) == 1 and box_overlap(given, [LEFT]) == 0.0


def test_overlap():
    assert box_iou(LEFT, LEFT) == 1.0 and box_iou(LEFT, RIGHT) == 0.0
    assert box_iou((0, 0, 0.5, 1), (0, 0, 1, 1)) == pytest.approx(0.5)


def test_pairs_are_one_to_one_and_the_more_numerous_side_divides():
    assert box_overlap([LEFT, RIGHT], [RIGHT, LEFT]) == pytest.approx(1.0)
    assert box_overlap([LEFT, LEFT], [RIGHT, LEFT]) == pytest.approx(0.5)
    assert box_overlap([LEFT] * 10, [LEFT]) == pytest.approx(0.1)
    assert box_overlap([LEFT], [LEFT, RIGHT]) == pytest.approx(0.5)
    assert box_overlap([], [LEFT]) == box_overlap([LEFT], []) == 0.0
