"""Drop records of which an image has too much written on it, by area or by number of words.

Writing is found by a text detector (extra `curate`), which is slow, so only pictures with rows of strokes over at
least `min_strokes` of their area are shown to it; 0 shows it all. Markers of side (L, R, LEFT, RIGHT) never count,
nor what has no letter and no digit, and a few lines of a scanner's settings stay below the limits.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above, keep_pictures
from osler.media.lettering import (
    LATERALITY,
    TextBox,
    TextFinder,
    covered_share,
    num_words,
    stroke_share,
    without_markers,
)
from osler.media.quality import gray_pixels, rgb_pixels

Find = Callable[[np.ndarray], list[TextBox]]


class DropOverlaidTextConfig(Config):
    """max_text_share: 0 to 1 of the area. markers: words that never count, in any case."""

    max_text_share: Annotated[float, Field(ge=0, le=1)] = 0.1
    max_words: NonNegativeInt = 30
    min_strokes: Annotated[float, Field(ge=0, le=1)] = 0.01
    markers: tuple[str, ...] = LATERALITY


def drop_overlaid_text(
    table: pa.Table, *, max_text_share: float, max_words: int, min_strokes: float, markers: tuple[str, ...]
) -> Kept:
    """Keep records whose images are not written over."""
    finders: list[TextFinder] = []

    def find(rgb: np.ndarray) -> list[TextBox]:
        if not finders:
            finders.append(TextFinder())
        return without_markers(finders[0].find(rgb), markers)

    judge = partial(text_fault, find=find, max_text_share=max_text_share, max_words=max_words, min_strokes=min_strokes)
    return keep_pictures(table, "drop_overlaid_text", judge)


def text_fault(data: bytes, *, find: Find, max_text_share: float, max_words: int, min_strokes: float) -> Fault | None:
    """What is wrong with a picture whose words `find` finds."""
    if stroke_share(gray_pixels(data)) < min_strokes:
        return None
    rgb = rgb_pixels(data)
    boxes = [box for box in find(rgb) if num_words([box])]
    share = covered_share(boxes, width=rgb.shape[1], height=rgb.shape[0])
    return above("text share", share, max_text_share) or above("number of words", num_words(boxes), max_words)


OPERATOR = Operator(
    config=DropOverlaidTextConfig,
    build=lambda config: partial(
        drop_overlaid_text,
        max_text_share=config.max_text_share,
        max_words=config.max_words,
        min_strokes=config.min_strokes,
        markers=config.markers,
    ),
    level="record",
)
