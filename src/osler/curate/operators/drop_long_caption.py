"""Drop samples whose caption has more than `max_words` words, as one legend for many panels has."""

from functools import partial

import pyarrow as pa
from pydantic import PositiveInt

from osler.core.config import Config
from osler.curate.captions import CAPTION_TASKS, count_words, keep_captions
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, above


class DropLongCaptionConfig(Config):
    """max_words: most words. tasks: those whose answer is a caption."""

    max_words: PositiveInt = 400
    tasks: tuple[str, ...] = CAPTION_TASKS


def drop_long_caption(table: pa.Table, *, max_words: int, tasks: tuple[str, ...]) -> Kept:
    """Keep samples whose caption is short enough."""
    return keep_captions(table, "drop_long_caption", partial(_fault, max_words=max_words), tasks=tasks)


def _fault(caption: str, *, max_words: int) -> Fault | None:
    return above("number of words", count_words(caption), max_words)


OPERATOR = Operator(
    config=DropLongCaptionConfig,
    build=lambda config: partial(drop_long_caption, max_words=config.max_words, tasks=config.tasks),
    level="sample",
)
