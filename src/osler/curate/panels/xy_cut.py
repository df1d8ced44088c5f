"""Panels found without weights: a figure is cut straight across wherever it can be, and each piece again.

A piece is cut first along paper, then along black, then at edges. What is too small to be a panel stays with its
neighbour. The search is made on a copy of 2/3 to 4/3 `WORK_PX` pixels along
the longer side, or on the figure itself where that is smaller.
"""

from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from osler.core.errors import InputError
from osler.curate.panels.boxes import Box, PanelLayout, area, reading_order
from osler.curate.panels.cuts import PAPER, SURE_SEAM, Cut, Planes, black_cuts, paper_columns, paper_cuts, seam_cuts

WORK_PX = 768
MIN_SIDE_SHARE = 0.065  # of the figure's longer side: the least that is a panel and no label
MIN_FIGURE_PX = 48
FRAME_PX = 6
MAX_PANELS = 30
MAX_DEPTH = 8
MIN_CONFIDENCE = 0.5
MIN_INK_SHARE = 0.85

_NO_CUT: tuple[int, list[Cut]] = (0, [])
_WEAK = {
    "paper": "a narrow gap may lie inside a drawing",
    "black": "a black gap may be a picture's own ground",
    "seam": "an edge may lie inside a picture",
}


@dataclass
class _Search:
    min_side: int
    leaves: list[Box] = field(default_factory=list)
    weakest: tuple[float, str] = (1.0, "")

    def note(self, strength: float, reason: str) -> None:
        if strength < self.weakest[0]:
            self.weakest = (strength, reason)


def find_panels(pixels: np.ndarray, *, min_confidence: float = MIN_CONFIDENCE) -> PanelLayout:
    """The panels of a figure.

    Args:
        pixels: uint8, shape [height, width] or [height, width, 3].
        min_confidence: below it the layout is uncertain.

    Raises:
        InputError: other pixels.
    """
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)) or not pixels.size:
        got = f"{pixels.dtype} {list(pixels.shape)}"
        raise InputError("cannot look for panels", expected="uint8 [H, W] or [H, W, 3]", got=got)
    height, width = pixels.shape[:2]
    whole: Box = (0, 0, width, height)
    if min(width, height) < MIN_FIGURE_PX:
        return PanelLayout((whole,), 1.0)
    planes, scale = _planes(pixels)
    search = _Search(max(8, round(MIN_SIDE_SHARE * max(planes.shape))))
    x0, y0, x1, y1 = _inside_frame(planes)
    _cut_region(planes.part((x0, y0, x1, y1)), (x0, y0), search, above=())
    leaves = [box for box in search.leaves if area(box) >= search.min_side**2 / 2]
    if len(leaves) <= 1:
        return _layout([whole], search, min_confidence)
    _note_doubts(planes, leaves, search)
    return _layout([_scaled(box, scale, width, height) for box in leaves], search, min_confidence)


def _planes(pixels: np.ndarray) -> tuple[Planes, int]:
    """The figure's planes at working size, and full pixels per working pixel."""
    factor = max(1, round(max(pixels.shape[:2]) / WORK_PX))
    small = np.asarray(Image.fromarray(pixels).reduce(factor)) if factor > 1 else pixels
    if small.ndim == 2:
        return Planes(small, small), factor
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    return Planes(low, high), factor


def _cut_region(planes: Planes, corner: tuple[int, int], search: _Search, *, above: tuple[str, ...]) -> None:
    """Cut a region whose top left lies at `corner`; `above` holds the kinds of the cuts that made it."""
    x0, y0, x1, y1 = _trimmed(planes)
    planes, corner = planes.part((x0, y0, x1, y1)), (corner[0] + x0, corner[1] + y0)
    width, height = planes.shape
    axis, cuts = _NO_CUT
    if len(above) < MAX_DEPTH and len(search.leaves) <= MAX_PANELS:
        axis, cuts = _best_cuts(planes, search, above)
    if not cuts:
        if width and height:
            search.leaves.append((*corner, corner[0] + width, corner[1] + height))
        return
    for cut in cuts:
        search.note(cut.strength, _WEAK[cut.kind])
    starts, stops = [0, *(cut.stop for cut in cuts)], [*(cut.start for cut in cuts), (width, height)[axis]]
    for start, stop in zip(starts, stops, strict=True):
        box = (start, 0, stop, height) if axis == 0 else (0, start, width, stop)
        at = (corner[0] + box[0], corner[1] + box[1])
        _cut_region(planes.part(box), at, search, above=(*above, cuts[0].kind))


def _best_cuts(planes: Planes, search: _Search, above: tuple[str, ...]) -> tuple[int, list[Cut]]:
    """The axis to cut along and where; no cut where the region is one panel."""
    side = search.min_side
    turned = [planes.turned(axis) for axis in (0, 1)]
    wide = [each.shape[0] >= 2 * side for each in turned]
    for kind in ("paper", "black"):
        found = [_gutters(each, kind, side, above) if ok else [] for each, ok in zip(turned, wide, strict=True)]
        if any(found):
            axis = 0 if _worth(found[0]) >= _worth(found[1]) else 1
            return axis, found[axis]
    least = SURE_SEAM if {"paper", "black"} & set(above) else 1.0
    seams = [seam_cuts(each, side, least=least) for each in turned]
    axis = 0 if _worth(seams[0][0]) >= _worth(seams[1][0]) else 1
    if not seams[axis][0]:
        near = max(left_out for _, left_out in seams)
        search.note(1 - 0.6 * max(0.0, near - 0.3) / 0.7, "an edge that was left out may part two pictures")
    return axis, seams[axis][0]


def _gutters(planes: Planes, kind: str, min_side: int, above: tuple[str, ...]) -> list[Cut]:
    if kind == "paper":
        return paper_cuts(planes, min_side)
    return black_cuts(planes, min_side, only_sharp="paper" in above)


def _worth(cuts: list[Cut]) -> float:
    return max((cut.stop - cut.start + cut.strength for cut in cuts), default=-1.0)


def _inside_frame(planes: Planes) -> Box:
    """The figure without a line of up to `FRAME_PX` pixels drawn around it, which would hold all panels together."""
    width, height = planes.shape
    if min(width, height) < 4 * FRAME_PX:
        return 0, 0, width, height
    inner = slice(FRAME_PX, -FRAME_PX)
    columns, rows = planes.low[inner], planes.low[:, inner].T
    left, right = _frame_width(columns[:, :FRAME_PX]), _frame_width(columns[:, : -FRAME_PX - 1 : -1])
    top, bottom = _frame_width(rows[:, :FRAME_PX]), _frame_width(rows[:, : -FRAME_PX - 1 : -1])
    return left, top, width - right, height - bottom


def _frame_width(edge: np.ndarray) -> int:
    """How many of the outermost columns are a line with paper behind it; `edge` begins at the outside."""
    paper = np.mean(edge >= PAPER, axis=0)
    behind = np.flatnonzero(paper > 0.9)
    return int(behind[0]) if len(behind) and (paper[: behind[0]] < 0.9).all() else 0


def _trimmed(planes: Planes) -> Box:
    """The region without the paper around it."""
    xs, ys = (np.flatnonzero(~paper_columns(planes.turned(axis).low)) for axis in (0, 1))
    if not len(xs) or not len(ys):
        return (0, 0, 0, 0)
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


def _note_doubts(planes: Planes, leaves: list[Box], search: _Search) -> None:
    if len(leaves) > MAX_PANELS:
        search.note(0.1, f"more than {MAX_PANELS} pieces")
    ink = planes.low < PAPER
    inside = sum(int(np.count_nonzero(ink[y0:y1, x0:x1])) for x0, y0, x1, y1 in leaves)
    if inside < MIN_INK_SHARE * np.count_nonzero(ink):
        search.note(0.3, "much of the figure lies outside the panels found")
    areas = sorted(map(area, leaves))
    if areas[0] < 0.06 * areas[len(areas) // 2]:
        search.note(0.35, "a piece is far smaller than the others")


def _layout(boxes: list[Box], search: _Search, min_confidence: float) -> PanelLayout:
    confidence, reason = search.weakest
    return PanelLayout(tuple(reading_order(boxes)), round(confidence, 3), reason if confidence < min_confidence else "")


def _scaled(box: Box, scale: int, width: int, height: int) -> Box:
    x0, y0, x1, y1 = (value * scale for value in box)
    return max(0, x0), max(0, y0), min(width, x1), min(height, y1)
