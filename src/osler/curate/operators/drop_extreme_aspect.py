"""Drop records of which an image is more than `max_ratio` times as long as it is wide; only the header is read."""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above, keep_pictures
from osler.media.image import image_facts


class DropExtremeAspectConfig(Config):
    """max_ratio: longer side over shorter side; strips of film and rulers have more than 5."""

    max_ratio: Annotated[float, Field(ge=1)] = 5.0


def drop_extreme_aspect(table: pa.Table, *, max_ratio: float) -> Kept:
    """Keep records whose images are near enough to a square."""
    return keep_pictures(table, "drop_extreme_aspect", partial(_fault, max_ratio=max_ratio))


def _fault(data: bytes, *, max_ratio: float) -> Fault | None:
    facts = image_facts(data)
    sides = sorted((facts.width, facts.height))
    return above("aspect ratio", sides[1] / max(sides[0], 1), max_ratio)


OPERATOR = Operator(
    config=DropExtremeAspectConfig,
    build=lambda config: partial(drop_extreme_aspect, max_ratio=config.max_ratio),
    level="record",
)
