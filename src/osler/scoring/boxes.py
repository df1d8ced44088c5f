"""Boxes in words: where a reply points, and how well that overlaps with the truth.

A box is written as `<box>[x0, y0, x1, y1]</box>`, several as `<box>[[...], [...]]</box>`, from the top left: in
thousandths of width and height as InternVL writes them (arXiv:2312.14238), or, where no value exceeds 1, in fractions.
"""

import re
from collections.abc import Sequence

Corners = tuple[float, float, float, float]

_TAGGED = re.compile(r"<box>(.*?)</box>", re.DOTALL)
_NUMBER = r"\s*(\d+(?:\.\d+)?|\.\d+)\s*"
_FOUR = re.compile(rf"\[{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\]")
_THOUSANDTHS = 1000.0


def read_boxes(text: str) -> list[Corners]:
    """The boxes of a text as fractions. One that leaves the image or has no area counts and overlaps nothing."""
    found = []
    for tagged in _TAGGED.findall(text):
        for numbers in _FOUR.findall(tagged):
            corners = [float(number) for number in numbers]
            scale = _THOUSANDTHS if max(corners) > 1 else 1.0
            x0, y0, x1, y1 = (value / scale for value in corners)
            found.append((x0, y0, x1, y1) if x0 < x1 <= 1 and y0 < y1 <= 1 else (0.0, 0.0, 0.0, 0.0))
    return found


def box_iou(first: Corners, second: Corners) -> float:
    """Area shared by two boxes over the area of both together."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, width) * max(0.0, height)
    union = _area(first) + _area(second) - shared
    return shared / union if union > 0 else 0.0


def box_overlap(given: Sequence[Corners], truth: Sequence[Corners]) -> float:
    """Mean overlap of boxes paired one to one, the largest overlap first, over the more numerous of the two.

    A box too many or too few lowers it as one that overlaps nothing does; nothing is gained by naming many.
    """
    pairs = sorted(
        ((box_iou(g, t), n, m) for n, g in enumerate(given) for m, t in enumerate(truth)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    total = 0.0
    for overlap, number, true_number in pairs:
        if number not in taken[0] and true_number not in taken[1]:
            taken[0].add(number)
            taken[1].add(true_number)
            total += overlap
    return total / max(len(given), len(truth)) if given and truth else 0.0


def _area(box: Corners) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
