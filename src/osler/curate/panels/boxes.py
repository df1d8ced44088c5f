"""Boxes of panels: their overlap, and the order in which they are read."""

from dataclasses import dataclass
from itertools import pairwise

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels from the top left; x1 and y1 are the first column and row outside."""


@dataclass(frozen=True)
class PanelLayout:
    """What was found in a figure.

    boxes: the panels in reading order; one box for a figure that is one panel.
    confidence: 0 to 1, that of the weakest decision.
    uncertain: why the boxes should not be relied on; "" where they can be.
    """

    boxes: tuple[Box, ...]
    confidence: float
    uncertain: str = ""


def area(box: Box) -> int:
    """The pixels of a box; none where it is empty or turned inside out."""
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def overlap(first: Box, second: Box) -> int:
    """The pixels that two boxes share."""
    x0, y0 = max(first[0], second[0]), max(first[1], second[1])
    return area((x0, y0, min(first[2], second[2]), min(first[3], second[3])))


def iou(first: Box, second: Box) -> float:
    """Shared over covered area, 0 to 1."""
    shared = overlap(first, second)
    return shared / max(1, area(first) + area(second) - shared)


def reading_order(boxes: list[Box]) -> list[Box]:
    """Rows from the top, each from the left.

    A row is what begins above the middle of the highest box, or of a shorter one beside it. So a tall panel is read
    with the first of the panels that are stacked beside it.
    """
    return [box for row in _rows(boxes) for box in row]


def order_is_clear(boxes: list[Box]) -> bool:
    """Whether people would number the panels alike: they lie in rows, and no panel reaches from one into the next."""
    rows = _rows(boxes)
    for row, below in pairwise(rows):
        height = min(box[3] - box[1] for box in row)
        if min(box[1] for box in below) < max(box[3] for box in row) - 0.1 * height:
            return False
    return True


def _rows(boxes: list[Box]) -> list[list[Box]]:
    left = sorted(boxes, key=lambda box: (box[1], box[0]))
    rows: list[list[Box]] = []
    while left:
        top, below = left[0][1], left[0][3]
        below = min(box[3] for box in left if box[1] < (top + below) / 2)
        row = [box for box in left if box[1] < (top + below) / 2]
        rows.append(sorted(row, key=lambda box: (box[0], box[1])))
        left = left[len(row) :]
    return rows
