"""Drop records of which an image was compressed too hard: a JPEG's own tables say so, or the 8 x 8 blocks are seen.

The blocks are looked for in every file: a PNG may have been made from a bad JPEG.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above, below, keep_pictures
from osler.media.quality import blockiness, gray_pixels, jpeg_quality


class DropCompressedConfig(Config):
    """min_jpeg_quality: 1 to 100 as encoders count it. max_blockiness: steps at block edges over other steps."""

    min_jpeg_quality: Annotated[float, Field(ge=0, le=100)] = 20.0
    max_blockiness: Annotated[float, Field(ge=1)] = 2.2


def drop_compressed(table: pa.Table, *, min_jpeg_quality: float, max_blockiness: float) -> Kept:
    """Keep records whose images are not spoilt by compression."""
    judge = partial(_fault, min_jpeg_quality=min_jpeg_quality, max_blockiness=max_blockiness)
    return keep_pictures(table, "drop_compressed", judge)


def _fault(data: bytes, *, min_jpeg_quality: float, max_blockiness: float) -> Fault | None:
    gray = gray_pixels(data)
    quality = jpeg_quality(data)
    fault = None if quality is None else below("JPEG quality", quality, min_jpeg_quality)
    return fault or above("blockiness", blockiness(gray), max_blockiness)


OPERATOR = Operator(
    config=DropCompressedConfig,
    build=lambda config: partial(
        drop_compressed, min_jpeg_quality=config.min_jpeg_quality, max_blockiness=config.max_blockiness
    ),
    level="record",
)
