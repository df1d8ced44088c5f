"""Drop samples whose caption is numbers: too many digits, or nothing beside numbers, units and labels.

"Scale bar: 50 µm", "(A) 12 x 10 mm" and "Fig. 3" say nothing about a picture.
"""

from functools import partial
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.captions import CAPTION_TASKS, digit_share, keep_captions, says_only_numbers
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above


class DropNumericCaptionConfig(Config):
    """max_digit_share: digits among letters and digits, 0 to 1. tasks: those whose answer is a caption."""

    max_digit_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    tasks: tuple[str, ...] = CAPTION_TASKS


def drop_numeric_caption(table: pa.Table, *, max_digit_share: float, tasks: tuple[str, ...]) -> Kept:
    """Keep samples whose caption has words."""
    return keep_captions(table, "drop_numeric_caption", partial(_fault, max_digit_share=max_digit_share), tasks=tasks)


def _fault(caption: str, *, max_digit_share: float) -> Fault | None:
    share = digit_share(caption)
    if says_only_numbers(caption):
        return Fault(f"only numbers and labels: {share:.2f} of it digits", share)
    return above("share of digits", share, max_digit_share)


OPERATOR = Operator(
    config=DropNumericCaptionConfig,
    build=lambda config: partial(drop_numeric_caption, max_digit_share=config.max_digit_share, tasks=config.tasks),
    level="sample",
)
