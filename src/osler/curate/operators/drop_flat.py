"""Drop records of which an image shows next to nothing: few gray values, or nearly all pixels of one.

`min_colourfulness` is for sets that must be in colour, such as stained tissue; a gray image has 0.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field, NonNegativeFloat

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above, below, keep_pictures
from osler.media.quality import colourfulness, commonest_share, entropy, gray_pixels, rgb_pixels


class DropFlatConfig(Config):
    """min_entropy: bits of the gray values, 0 to 8. max_commonest_share: pixels of the commonest value, 0 to 1."""

    min_entropy: Annotated[float, Field(ge=0, le=8)] = 2.0
    max_commonest_share: Annotated[float, Field(ge=0, le=1)] = 0.9
    min_colourfulness: NonNegativeFloat = 0.0


def drop_flat(table: pa.Table, *, min_entropy: float, max_commonest_share: float, min_colourfulness: float) -> Kept:
    """Keep records whose images show something."""
    judge = partial(
        _fault,
        min_entropy=min_entropy,
        max_commonest_share=max_commonest_share,
        min_colourfulness=min_colourfulness,
    )
    return keep_pictures(table, "drop_flat", judge)


def _fault(data: bytes, *, min_entropy: float, max_commonest_share: float, min_colourfulness: float) -> Fault | None:
    gray = gray_pixels(data)
    fault = below("entropy", entropy(gray), min_entropy)
    fault = fault or above("share of the commonest value", commonest_share(gray), max_commonest_share)
    if fault or min_colourfulness == 0:
        return fault
    return below("colourfulness", colourfulness(rgb_pixels(data)), min_colourfulness)


OPERATOR = Operator(
    config=DropFlatConfig,
    build=lambda config: partial(
        drop_flat,
        min_entropy=config.min_entropy,
        max_commonest_share=config.max_commonest_share,
        min_colourfulness=config.min_colourfulness,
    ),
    level="record",
)
