"""Is what would be asked the task's own list of items? Verified, unverified, partial, or refused."""

from collections.abc import Sequence
from typing import NamedTuple

from osler.core.errors import InputError
from osler.core.files import sha256_json
from osler.evaluation.task import Task
from osler.schema.result import ItemStamp


class Stamped(NamedTuple):
    """How far the items are those of the task, and what to say of it beside every score; "" where all is well."""

    stamp: ItemStamp
    note: str = ""


def ids_sha256(ids: Sequence[str]) -> str:
    """The hash of a list of items: of the sorted ids as JSON."""
    return sha256_json(sorted(ids))


def check_items(task: Task, ids: Sequence[str], *, partial: bool, limit: int | None = None) -> Stamped:
    """Compare the ids that the data folders hold for `task` with its declared list.

    Args:
        task: what declares its list.
        ids: all that are there, before any limit.
        partial: permit another list; the scores are then marked.
        limit: how many are asked at most; fewer than there are make the scores partial.

    Raises:
        InputError: another list, and `partial` is not set.
    """
    found = _compared(task, ids)
    if found.stamp == "partial" and not partial:
        known = task.items.ids_sha256
        raise InputError(
            f"task {task.name!r} would not be asked in full: {found.note}",
            expected=f"{task.items.count} items" + (f" with ids of SHA-256 {known}" if known else ""),
            got=f"{len(ids)} items with ids of SHA-256 {ids_sha256(ids)}",
            fix=f"Curate the whole split {task.split!r} of {task.dataset} (drops.parquet says what was dropped)"
            ", or set partial: true, which marks every score as partial.",
        )
    if limit is not None and limit < len(ids):
        also = f"; {found.note}" if found.stamp == "partial" else ""
        return Stamped("partial", f"items: partial, {limit} of {len(ids)} were asked by the recipe's limit{also}")
    return Stamped(found.stamp, f"items: {found.stamp}, {found.note}" if found.note else "")


def _compared(task: Task, ids: Sequence[str]) -> Stamped:
    count, known, note = task.items.count, task.items.ids_sha256, task.items.note
    if count is None:
        return Stamped("unverified", f"{len(ids)} asked; {note}")
    if len(ids) != count:
        return Stamped("partial", f"{len(ids)} of {count} items" + (f" ({note})" if note else ""))
    if known is None:
        return Stamped("unverified", f"{count} as declared, but the list of ids is not known here")
    if ids_sha256(ids) != known:
        return Stamped("partial", f"{count} items as declared, but others: their ids differ")
    return Stamped("verified")
