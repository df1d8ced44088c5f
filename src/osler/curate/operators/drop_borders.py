"""Drop records of which an image is mostly white or mostly black margin. `trim_borders` cuts it off instead.

A margin is made of whole rows and columns at the edges. Scans stand on black as a rule, so the limit for black is high.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above, keep_pictures
from osler.media.quality import gray_pixels, margin


class DropBordersConfig(Config):
    """max_white, max_black: the part of the area that may be margin, 0 to 1."""

    max_white: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_black: Annotated[float, Field(ge=0, le=1)] = 0.7


def drop_borders(table: pa.Table, *, max_white: float, max_black: float) -> Kept:
    """Keep records whose images show enough beside margin."""
    return keep_pictures(table, "drop_borders", partial(_fault, max_white=max_white, max_black=max_black))


def _fault(data: bytes, *, max_white: float, max_black: float) -> Fault | None:
    gray = gray_pixels(data)
    height, width = gray.shape
    white = margin(gray, white=True).share(width, height)
    black = margin(gray, white=False).share(width, height)
    return above("white margin", white, max_white) or above("black margin", black, max_black)


OPERATOR = Operator(
    config=DropBordersConfig,
    build=lambda config: partial(drop_borders, max_white=config.max_white, max_black=config.max_black),
    level="record",
)
