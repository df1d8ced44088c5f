"""Drop samples whose caption speaks of what their picture may not show, by the declared patterns of `curate.captions`.

Kinds: `panels` (panel C, upper row, (A) ... (B)), `other_figures` (same patient as in Fig. 2, see Table 1), `charts`
(error bars, Kaplan-Meier, p < 0.05), `marks` (arrows, asterisks). Drop `panels` after figures were split, not before;
`marks` are drawn on most article figures and are right there, so they are not asked unless named.
"""

from functools import partial
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field

from osler.core.config import Config
from osler.curate.captions import CAPTION_TASKS, keep_captions, misleading_words
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault

Kind = Literal["panels", "other_figures", "charts", "marks"]


class DropMisleadingCaptionConfig(Config):
    """kinds: which patterns, in the order in which they are tried. tasks: those whose answer is a caption."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = ("other_figures", "charts", "panels")
    tasks: tuple[str, ...] = CAPTION_TASKS


def drop_misleading_caption(table: pa.Table, *, kinds: tuple[str, ...], tasks: tuple[str, ...]) -> Kept:
    """Keep samples whose caption stays with its picture."""
    return keep_captions(table, "drop_misleading_caption", partial(_fault, kinds=kinds), tasks=tasks)


def _fault(caption: str, *, kinds: tuple[str, ...]) -> Fault | None:
    found = misleading_words(caption, kinds)
    return Fault(f"caption speaks of {found[0].replace('_', ' ')}: {found[1][:80]!r}", 1.0) if found else None


OPERATOR = Operator(
    config=DropMisleadingCaptionConfig,
    build=lambda config: partial(drop_misleading_caption, kinds=config.kinds, tasks=config.tasks),
    level="sample",
)
