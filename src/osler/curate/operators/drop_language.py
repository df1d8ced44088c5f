"""Drop samples whose caption is clearly not in English: another script, or another language's commonest words.

A rule without weights, for captions in telegram style: it wants evidence of another language (German, French, Spanish,
Italian, Portuguese, Dutch, Polish, Turkish by words, any other by its script), not evidence of English.
"""

from functools import partial

import pyarrow as pa
from pydantic import PositiveInt

from osler.core.config import Config
from osler.curate.captions import CAPTION_TASKS, guess_language, keep_captions
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault


class DropLanguageConfig(Config):
    """min_hits: how many of a language's commonest words show it. tasks: those whose answer is a caption."""

    min_hits: PositiveInt = 3
    tasks: tuple[str, ...] = CAPTION_TASKS


def drop_language(table: pa.Table, *, min_hits: int, tasks: tuple[str, ...]) -> Kept:
    """Keep samples whose caption may be English."""
    return keep_captions(table, "drop_language", partial(_fault, min_hits=min_hits), tasks=tasks)


def _fault(caption: str, *, min_hits: int) -> Fault | None:
    language, evidence = guess_language(caption, min_hits=min_hits)
    if language == "en":
        return None
    measured = f"{evidence:g} words, limit {min_hits}" if len(language) == 2 else f"{evidence:.2f} of the letters"
    return Fault(f"caption in {language}: {measured}", evidence)


OPERATOR = Operator(
    config=DropLanguageConfig,
    build=lambda config: partial(drop_language, min_hits=config.min_hits, tasks=config.tasks),
    level="sample",
)
