"""Cut white (or black) margins off images, move boxes along, and tag the samples `trimmed`. Nothing is dropped.

Images whose licence forbids derivatives (ND), with a mask, cut out of a volume, or with a box in the margin stay as
they are. A trimmed image is stored as PNG, so nothing is compressed a second time.
"""

from functools import partial
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.drops import drops_table
from osler.curate.operator import Kept, Operator
from osler.curate.trimming import trim_record


class TrimBordersConfig(Config):
    """colours: of the margins. min_share: an image with less margin, as a part of its area, stays as it is."""

    colours: Annotated[tuple[Literal["white", "black"], ...], Field(min_length=1)] = ("white",)
    min_share: Annotated[float, Field(gt=0, le=1)] = 0.05


def trim_borders(table: pa.Table, *, colours: tuple[str, ...], min_share: float) -> Kept:
    """All records, those with margins trimmed."""
    rows = [trim_record(row, colours=colours, min_share=min_share) for row in table.to_pylist()]
    return Kept(pa.Table.from_pylist(rows, schema=table.schema), drops_table())


OPERATOR = Operator(
    config=TrimBordersConfig,
    build=lambda config: partial(trim_borders, colours=config.colours, min_share=config.min_share),
    level="rewrite",
)
