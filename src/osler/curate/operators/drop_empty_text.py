"""Drop samples whose question or answer has fewer than `min_chars` characters, spaces at the ends not counted."""

from functools import partial

import pyarrow as pa
from pydantic import PositiveInt

from osler.core.config import Config
from osler.curate.drops import drop
from osler.curate.operator import Kept, Operator, keep_where


class DropEmptyTextConfig(Config):
    """min_chars: fewest characters of a question and of an answer."""

    min_chars: PositiveInt = 1


def drop_empty_text(table: pa.Table, *, min_chars: int) -> Kept:
    """Keep rows whose question and answer are long enough."""
    ids, questions, answers = (table[name].to_pylist() for name in ("id", "question", "answer"))
    rows = zip(ids, questions, answers, strict=True)
    return keep_where(table, [_drop(id, question, answer, min_chars) for id, question, answer in rows])


def _drop(id: str, question: str, answer: str, min_chars: int) -> dict[str, object] | None:
    for what, text in (("question", question), ("answer", answer)):
        length = len(text.strip())
        if length < min_chars:
            reason = f"empty {what}" if length == 0 else f"short {what}: {length} of {min_chars} characters"
            return drop(id, "drop_empty_text", reason)
    return None


OPERATOR = Operator(
    config=DropEmptyTextConfig,
    build=lambda config: partial(drop_empty_text, min_chars=config.min_chars),
    level="sample",
)
