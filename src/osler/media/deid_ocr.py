"""Where a picture has text, and which of it may stay: markers of side and view, recognised as such.

The detector is the one in rapidocr-onnxruntime's wheel (PP-OCRv4): no download and no network.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osler.media.lettering import LATERALITY
from osler.media.ocr import load_ocr

MARKERS = (
    *LATERALITY, "AP", "PA", "LAT", "LATERAL", "SUPINE", "ERECT", "UPRIGHT", "PORTABLE",
    "CC", "MLO", "LCC", "RCC", "LMLO", "RMLO",
)  # fmt: skip
_SURE = 0.8
_LEGIBLE = 0.5
_TILE_PX = 960
_OVERLAP_PX = 160
_SMALL_PX = 384
_SEEN_WHOLE_PX = 2880
_MARGIN_PX = 24
_TALL_SHARE = 0.12


@dataclass(frozen=True)
class Found:
    """A box of text in pixels: left, top, right, bottom (the last two not in it), and whether it is a marker."""

    box: tuple[int, int, int, int]
    is_marker: bool


class TextFinder:
    """Finds text in 8-bit views. One for a process: it holds the detector's weights (about 15 MB)."""

    def __init__(self, markers: Sequence[str] = MARKERS) -> None:
        with silent_libraries():
            self._reader = load_ocr("the search for burned-in text", extra="deid", max_side_px=2 * _TILE_PX)
        self._markers = frozenset(marker.upper() for marker in markers)

    def find(self, view: NDArray[np.uint8]) -> list[Found]:
        """The text in one view, shape [rows, columns] or [rows, columns, 3].

        A large picture is also searched in tiles at its own resolution, where small print is as large as it gets; a
        small one is enlarged. Both are given a margin: letters cut by the border are still letters.
        """
        found: list[Found] = []
        for tile, left, top in _tiles(view):
            found += self._find(tile, left, top, view.shape[:2])
        return found

    def _find(self, tile: NDArray[np.uint8], left: int, top: int, size: tuple[int, ...]) -> list[Found]:
        scale = 2 if max(tile.shape[:2]) <= _SMALL_PX else 1
        picture = np.repeat(np.repeat(tile, scale, axis=0), scale, axis=1)
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], 3, axis=2)
        picture = np.pad(picture, ((_MARGIN_PX, _MARGIN_PX), (_MARGIN_PX, _MARGIN_PX), (0, 0)))
        with silent_libraries():
            boxes, _ = self._reader(np.ascontiguousarray(picture), use_cls=False, use_rec=False)
        found = []
        for corners in boxes or ():
            points = np.asarray(corners, np.float64)
            low = np.floor(points.min(axis=0)).astype(int)
            high = np.ceil(points.max(axis=0)).astype(int)
            words, score = self._read(picture[max(low[1], 0) : high[1], max(low[0], 0) : high[0]])
            if _is_structure(words, score, (high - low) / scale, size):
                continue
            shift = np.array([left, top])
            x0, y0 = np.maximum((low - _MARGIN_PX) // scale + shift, 0)
            x1, y1 = -((_MARGIN_PX - high) // scale) + shift
            box = (int(x0), int(y0), int(min(x1, size[1])), int(min(y1, size[0])))
            if box[0] < box[2] and box[1] < box[3]:
                found.append(Found(box, score >= _SURE and words.upper().strip(" .:") in self._markers))
        return found

    def _read(self, crop: NDArray[np.uint8]) -> tuple[str, float]:
        """The words of a crop and how sure the recogniser is."""
        if 0 in crop.shape:
            return "", 0.0
        with silent_libraries():
            read, _ = self._reader(np.ascontiguousarray(crop), use_det=False, use_cls=False, use_rec=True)
        return (str(read[0][0]), float(read[0][1])) if read else ("", 0.0)


@contextmanager
def silent_libraries() -> Iterator[None]:
    """Nothing that a library warns or logs inside the block is shown: it may quote what identifies."""
    import warnings

    loggers = [logging.getLogger(name) for name in ("pydicom", "RapidOCR", "PIL")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


def _is_structure(words: str, score: float, size_px: NDArray[np.float64], picture: tuple[int, ...]) -> bool:
    """A box far taller than a line of print in which nothing can be read: anatomy, not text."""
    return bool(min(size_px) > _TALL_SHARE * min(picture)) and (len(words.strip()) < 2 or score < _LEGIBLE)


def _tiles(view: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], int, int]]:
    """The whole picture; where it is large, tiles that overlap, too."""
    rows, columns = view.shape[:2]
    yield view, 0, 0
    if max(rows, columns) <= _SEEN_WHOLE_PX:
        return
    step = _TILE_PX - _OVERLAP_PX
    for top in range(0, max(rows - _OVERLAP_PX, 1), step):
        for left in range(0, max(columns - _OVERLAP_PX, 1), step):
            yield view[top : top + _TILE_PX, left : left + _TILE_PX], left, top
