"""Drop records of which an image has a skin-coloured patch in one corner only, as frames with a filmed narrator have.

A heuristic, not a face detector: it misses gray frames and narrators in other places, and knows skin by its colour. For
faces anywhere use `drop_faces` with a detector's weights.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above, keep_pictures
from osler.media.quality import rgb_pixels
from osler.media.screen import corner_skin_share


class DropNarratorConfig(Config):
    """max_skin_share: skin in a corner of 30 % of the width and 40 % of the height, 0 to 1."""

    max_skin_share: Annotated[float, Field(ge=0, le=1)] = 0.3


def drop_narrator(table: pa.Table, *, max_skin_share: float) -> Kept:
    """Keep records whose images show no narrator in a corner."""
    return keep_pictures(table, "drop_narrator", partial(_fault, max_skin_share=max_skin_share))


def _fault(data: bytes, *, max_skin_share: float) -> Fault | None:
    return above("skin in one corner", corner_skin_share(rgb_pixels(data)), max_skin_share)


OPERATOR = Operator(
    config=DropNarratorConfig,
    build=lambda config: partial(drop_narrator, max_skin_share=config.max_skin_share),
    level="record",
)
