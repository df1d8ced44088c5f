"""Drop records of which an image is smaller than `min_side_px` on its shorter side; only the header is read."""

from functools import partial

import pyarrow as pa
from pydantic import PositiveInt

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, below, keep_pictures
from osler.media.image import image_facts


class DropSmallImageConfig(Config):
    """min_side_px: the shorter side that an image must have."""

    min_side_px: PositiveInt = 112


def drop_small_image(table: pa.Table, *, min_side_px: int) -> Kept:
    """Keep records whose images are large enough."""
    return keep_pictures(table, "drop_small_image", partial(_fault, min_side_px=min_side_px))


def _fault(data: bytes, *, min_side_px: int) -> Fault | None:
    facts = image_facts(data)
    return below("shorter side in px", min(facts.width, facts.height), min_side_px)


OPERATOR = Operator(
    config=DropSmallImageConfig,
    build=lambda config: partial(drop_small_image, min_side_px=config.min_side_px),
    level="record",
)
