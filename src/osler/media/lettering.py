"""Lettering: words written on a picture: a quick look that sees most of them, and a text detector that finds the rest.

`stroke_share` costs about a millisecond and only says that there may be words. `TextFinder` runs the detection and
recognition networks inside the wheel of rapidocr-onnxruntime (PP-OCRv4; no download), a hundred times as slow.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from osler.media.ocr import load_ocr
from osler.media.quality import shrunk

_LOOK_SIDE_PX = 1024
_CELL_PX = 8
_STEP = 32
_MIN_STEPS = 2
_MIN_RUN = 3

LATERALITY = ("L", "R", "LT", "RT", "LEFT", "RIGHT")
"""Markers of side as they stand on radiographs, in capitals."""


@dataclass(frozen=True)
class TextBox:
    """Words found on a picture: the box that encloses them, in pixels, and how sure the reader is, 0 to 1."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float

    @property
    def area(self) -> float:
        """Pixels inside the box."""
        return max(self.x1 - self.x0, 0.0) * max(self.y1 - self.y0, 0.0)


def stroke_share(gray: np.ndarray) -> float:
    """The part of a picture [height, width] covered by rows of strokes, as writing has them.

    A cell of 8 x 8 pixels is stroked where it holds at least two steps up and two steps down of 32 gray values or more
    between neighbours in its rows; three or more stroked cells side by side count. An outline of anatomy steps in one
    direction within a cell and stays out; writing, rulers, fine grids and noise come in. The picture is looked at
    twice, whole and at half its size, for small and for large letters; the larger share counts.
    """
    pixels = shrunk(gray, _LOOK_SIDE_PX)
    return max(_stroked_share(pixels), _stroked_share(shrunk(pixels, max(pixels.shape) // 2)))


class TextFinder:
    """Finds and reads words on pictures. Loading takes a fraction of a second: make one for many pictures.

    Args:
        num_threads: threads of the runtime.

    Raises:
        InputError: as `load_ocr`.
    """

    def __init__(self, *, num_threads: int = 1) -> None:
        self._reader = load_ocr("finding words on pictures", extra="curate", num_threads=num_threads)

    def find(self, rgb: np.ndarray) -> list[TextBox]:
        """The words on a picture, uint8 [height, width, 3], from the top down."""
        found, _ = self._reader(np.ascontiguousarray(rgb[:, :, ::-1]), use_cls=False)
        boxes = []
        for corners, text, score in found or []:
            xs, ys = zip(*corners, strict=True)
            boxes.append(TextBox(str(text), min(xs), min(ys), max(xs), max(ys), float(score)))
        return boxes


def without_markers(boxes: Iterable[TextBox], markers: Iterable[str] = LATERALITY) -> list[TextBox]:
    """The boxes that are not just one of `markers`, compared in capitals without punctuation."""
    allowed = {marker.upper() for marker in markers}
    return [box for box in boxes if re.sub(r"[\W_]+", "", box.text).upper() not in allowed]


def num_words(boxes: Iterable[TextBox]) -> int:
    """How many words the boxes hold; what has no letter and no digit is none."""
    return sum(len(re.findall(r"[^\W_]+(?:[.,:/'-][^\W_]+)*", box.text)) for box in boxes)


def covered_share(boxes: Iterable[TextBox], *, width: int, height: int) -> float:
    """The part of a picture that the boxes cover; where two overlap, once."""
    is_covered = np.zeros((height, width), bool)
    for box in boxes:
        is_covered[max(int(box.y0), 0) : int(np.ceil(box.y1)), max(int(box.x0), 0) : int(np.ceil(box.x1))] = True
    return float(is_covered.mean())


def _stroked_share(pixels: np.ndarray) -> float:
    height, width = (length // _CELL_PX * _CELL_PX for length in pixels.shape)
    if height < _CELL_PX or width < _CELL_PX * _MIN_RUN:
        return 0.0
    steps = np.zeros((height, width), np.int16)
    np.subtract(pixels[:height, 1:width], pixels[:height, : width - 1], out=steps[:, 1:], dtype=np.int16)
    stroked = (_per_cell(steps >= _STEP) >= _MIN_STEPS) & (_per_cell(steps <= -_STEP) >= _MIN_STEPS)
    return float(_in_runs(stroked).mean())


def _per_cell(flags: np.ndarray) -> np.ndarray:
    height, width = flags.shape
    rows = flags.reshape(height // _CELL_PX, _CELL_PX, width).sum(axis=1, dtype=np.uint8)
    counts: np.ndarray = rows.reshape(height // _CELL_PX, width // _CELL_PX, _CELL_PX).sum(axis=2, dtype=np.uint8)
    return counts


def _in_runs(stroked: np.ndarray) -> np.ndarray:
    """The cells that belong to `_MIN_RUN` stroked ones side by side."""
    starts = stroked[:, :-2] & stroked[:, 1:-1] & stroked[:, 2:]
    kept = np.zeros_like(stroked)
    for shift in range(_MIN_RUN):
        kept[:, shift : kept.shape[1] - _MIN_RUN + 1 + shift] |= starts
    return kept
