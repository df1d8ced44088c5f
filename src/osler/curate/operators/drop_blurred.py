"""Drop records of which an image is blurred, or was enlarged from far fewer pixels.

Sharpness is the Laplacian's variance over that of the gray values, times 1000, at 512 px; detail is the share of its
own resolution that an image uses (`media.quality`). An image enlarged from an n-th of its size has about 1/n.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field, NonNegativeFloat

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, below, keep_pictures
from osler.media.quality import detail, gray_pixels, sharpness


class DropBlurredConfig(Config):
    """min_sharpness, min_detail: the least of each; 0 does not ask."""

    min_sharpness: NonNegativeFloat = 8.0
    min_detail: Annotated[float, Field(ge=0, le=1)] = 0.4


def drop_blurred(table: pa.Table, *, min_sharpness: float, min_detail: float) -> Kept:
    """Keep records whose images are crisp."""
    return keep_pictures(table, "drop_blurred", partial(_fault, min_sharpness=min_sharpness, min_detail=min_detail))


def _fault(data: bytes, *, min_sharpness: float, min_detail: float) -> Fault | None:
    gray = gray_pixels(data)
    return below("sharpness", sharpness(gray), min_sharpness) or below("detail", detail(gray), min_detail)


OPERATOR = Operator(
    config=DropBlurredConfig,
    build=lambda config: partial(drop_blurred, min_sharpness=config.min_sharpness, min_detail=config.min_detail),
    level="record",
)
