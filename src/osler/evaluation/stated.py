"""What task and recipe say beside the scores: which list of items, in which words, and what others have published."""

from collections.abc import Sequence

from osler.core.catalog import PROMPTS
from osler.evaluation.context import TaskContext
from osler.evaluation.item_list import Stamped
from osler.evaluation.task import Task
from osler.schema.result import Published


def state(
    known: TaskContext, task: Task, *, stamped: Stamped | None, suffixes: bool, published: Sequence[Published]
) -> TaskContext:
    """`known` with its stamp, its prompt and what others have published; without a stamp, nothing was asked."""
    prompt = task.prompt if suffixes else "as_stored"
    note = stamped.note if stamped else ""
    facts = {
        "stamp": stamped.stamp if stamped else "",
        "prompt": str(PROMPTS.load(prompt).signature(prompt)),
        "published": tuple(published),
        "notes": (*known.notes, *([note] if note else [])),
    }
    return known.model_copy(update=facts)
