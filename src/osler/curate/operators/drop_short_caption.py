"""Drop samples whose caption has fewer than `min_words` words. Only the tasks in `tasks` have captions."""

from functools import partial

import pyarrow as pa
from pydantic import PositiveInt

from osler.core.config import Config
from osler.curate.captions import CAPTION_TASKS, count_words, keep_captions
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, below


class DropShortCaptionConfig(Config):
    """min_words: fewest words. tasks: those whose answer is a caption."""

    min_words: PositiveInt = 3
    tasks: tuple[str, ...] = CAPTION_TASKS


def drop_short_caption(table: pa.Table, *, min_words: int, tasks: tuple[str, ...]) -> Kept:
    """Keep samples whose caption is long enough."""
    return keep_captions(table, "drop_short_caption", partial(_fault, min_words=min_words), tasks=tasks)


def _fault(caption: str, *, min_words: int) -> Fault | None:
    return below("number of words", count_words(caption), min_words)


OPERATOR = Operator(
    config=DropShortCaptionConfig,
    build=lambda config: partial(drop_short_caption, min_words=config.min_words, tasks=config.tasks),
    level="sample",
)
