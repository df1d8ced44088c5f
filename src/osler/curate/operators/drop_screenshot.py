"""Drop records of which an image shows a computer's screen: a bar along the top or bottom edge and one more sign.

The other signs are long straight lines, even areas that are not black and, where `min_words` is set, words that the
text detector reads (extra `curate`). A page or a chart has no such bar and stays: `drop_overlaid_text` is for those.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, keep_pictures
from osler.media.lettering import TextFinder, num_words
from osler.media.quality import gray_pixels, rgb_pixels
from osler.media.screen import screen_signs


class DropScreenshotConfig(Config):
    """min_lines: lines over half of the picture. min_flat_share: even area, 0 to 1. min_words: 0 reads none."""

    min_lines: PositiveInt = 4
    min_flat_share: Annotated[float, Field(ge=0, le=1)] = 0.25
    min_words: NonNegativeInt = 0


def drop_screenshot(table: pa.Table, *, min_lines: int, min_flat_share: float, min_words: int) -> Kept:
    """Keep records whose images show no screen."""
    finders: list[TextFinder] = []

    def words(data: bytes) -> int:
        if not finders:
            finders.append(TextFinder())
        return num_words(finders[0].find(rgb_pixels(data)))

    judge = partial(screen_fault, words=words, min_lines=min_lines, min_flat_share=min_flat_share, min_words=min_words)
    return keep_pictures(table, "drop_screenshot", judge)


def screen_fault(
    data: bytes, *, words: Callable[[bytes], int], min_lines: int, min_flat_share: float, min_words: int
) -> Fault | None:
    """What shows that a picture is of a screen; `words` counts the words on it and is asked last."""
    signs = screen_signs(gray_pixels(data))
    if not signs.num_bars:
        return None
    if signs.num_lines >= min_lines:
        return Fault(f"screen with bar and lines: {signs.num_lines} lines, limit {min_lines}", signs.num_lines)
    if signs.flat_share >= min_flat_share:
        measured = f"{signs.flat_share:.3g} even, limit {min_flat_share:g}"
        return Fault(f"screen with bar and even area: {measured}", signs.flat_share)
    if min_words and (count := words(data)) >= min_words:
        return Fault(f"screen with bar and words: {count} words, limit {min_words}", count)
    return None


OPERATOR = Operator(
    config=DropScreenshotConfig,
    build=lambda config: partial(
        drop_screenshot,
        min_lines=config.min_lines,
        min_flat_share=config.min_flat_share,
        min_words=config.min_words,
    ),
    level="record",
)
