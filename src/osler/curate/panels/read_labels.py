"""Panel labels read out of a figure by OCR, to confirm or correct the reading order."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from osler.curate.panels.boxes import Box
from osler.media.ocr import load_ocr

ReadText = Callable[[np.ndarray], list[tuple[str, Box]]]
"""Pixels to lines of text with their boxes."""

_LABEL = re.compile(r"\(?([A-Za-z])[).:]?")
NEAR_SHARE = 0.2


def open_reader() -> ReadText:
    """A reader of text in RGB pixels on rapidocr, whose models lie in its wheel and take BGR."""
    engine = load_ocr("reading panel labels", extra="curate")

    def read(pixels: np.ndarray) -> list[tuple[str, Box]]:
        lines: list[Any] = engine(pixels[..., ::-1], use_cls=False)[0] or []
        return [(str(text), _around(corners)) for corners, text, _ in lines]

    return read


def read_labels(pixels: np.ndarray, boxes: Sequence[Box], read: ReadText) -> tuple[str, ...]:
    """The letter in or beside the top or bottom left of each panel, in lower case; "" where none or several are."""
    found: list[set[str]] = [set() for _ in boxes]
    for text, place in read(pixels):
        match = _LABEL.fullmatch(text.strip())
        if match:
            distance, owner = min((_distance(place, box), number) for number, box in enumerate(boxes))
            if distance < NEAR_SHARE:
                found[owner].add(match[1].lower())
    return tuple(labels.pop() if len(labels) == 1 else "" for labels in found)


def _distance(place: Box, box: Box) -> float:
    """From the middle of a text to the nearer left corner of a panel, in the panel's longer side."""
    x, y = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
    side = max(1, box[2] - box[0], box[3] - box[1])
    return float(np.hypot(x - box[0], min(abs(y - box[1]), abs(y - box[3])))) / side


def _around(corners: Any) -> Box:
    points = np.asarray(corners)
    low, high = points.min(axis=0).astype(int).tolist(), points.max(axis=0).astype(int).tolist()
    return low[0], low[1], high[0], high[1]
