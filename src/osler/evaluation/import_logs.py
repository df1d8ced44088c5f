"""Another program's sample logs to predictions, read by the strict rules; nothing lost, nothing counted twice."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from osler.core.catalog import HARNESSES
from osler.core.errors import InputError
from osler.core.files import existing_file, read_json, read_jsonl
from osler.evaluation.context import EvalContext
from osler.evaluation.export_tasks import CONTEXT, ITEMS
from osler.evaluation.harness import ExportedItem, Harness, LoggedReply
from osler.schema.prediction import Prediction
from osler.scoring.extract import read_reply

_MISSING = "not in the log"
_SHOWN = 3
Key = tuple[str, str]


def log_files(harness: Harness, paths: Sequence[Path]) -> list[Path]:
    """The logs themselves: each path that is a file, and of each folder the files below it that look like logs.

    Raises:
        InputError: a path that is not there, or a folder without a log.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(existing_file(path))
            continue
        found = sorted({file for pattern in harness.logs for file in path.rglob(pattern)})
        if not found:
            raise InputError(f"{path} holds no log of {harness.name}", expected=" or ".join(harness.logs))
        files += found
    return list(dict.fromkeys(files))


def import_logs(
    harness_name: str, exported: Path, logs: Sequence[Path], *, allow_missing: bool, model_name: str
) -> tuple[list[Prediction], EvalContext]:
    """The predictions in the order of the export, and the context to score them in; of the tasks that have a reply.

    Raises:
        InputError: the folder is no export; a reply to an item that was not exported, or was with another prompt; two
            replies to one item; logs of different models; an item without a reply, unless `allow_missing`.
    """
    harness: Harness = HARNESSES.load(harness_name)
    items = _read_items(exported)
    replies, models = _read_replies(harness, log_files(harness, logs), items)
    asked = {task for task, _ in replies}
    missing = [key for key in items if key[0] in asked and key not in replies]
    if missing and not allow_missing:
        raise InputError(
            f"{len(missing)} of {sum(task in asked for task, _ in items)} exported questions have no reply",
            got="none for " + ", ".join(f"{task} {name}" for task, name in missing[:_SHOWN]),
            fix="Add the log that holds them, or score without them: allow_missing=true.",
        )
    wanted = [item for key, item in items.items() if key[0] in asked]
    predictions = [_prediction(item, replies.get((item.task, item.item_id))) for item in wanted]
    return predictions, _context(exported, harness, asked, model_name or _one_model(models))


def _read_items(exported: Path) -> dict[Key, ExportedItem]:
    try:
        items = [ExportedItem.model_validate(row) for row in read_jsonl(Path(exported) / ITEMS)]
    except ValidationError as error:
        raise InputError(f"{exported}/{ITEMS} is no list of exported items: {error.errors()[0]['msg']}") from error
    return {(item.task, item.item_id): item for item in items}


def _read_replies(
    harness: Harness, files: Iterable[Path], items: dict[Key, ExportedItem]
) -> tuple[dict[Key, LoggedReply], list[str]]:
    replies: dict[Key, LoggedReply] = {}
    models: list[str] = []
    for path in files:
        log = harness.read(path)
        models += [log.model] if log.model else []
        for reply in log.replies:
            key = (reply.task, reply.item_id)
            _check(reply, items.get(key), replies.get(key))
            replies[key] = reply
    if not replies:
        raise InputError(f"no reply in any log of {harness.name}", expected="at least one")
    return replies, models


def _check(reply: LoggedReply, item: ExportedItem | None, earlier: LoggedReply | None) -> None:
    named = f"{reply.task} {reply.item_id}"
    if item is None:
        raise InputError(
            f"{reply.where}: {named} was not exported", expected="an item of items.jsonl", fix="Name its own export."
        )
    if reply.prompt_sha256 != item.prompt_sha256:
        raise InputError(
            f"{reply.where}: {named} was asked in other words than exported",
            expected=f"prompt {item.prompt_sha256[:12]}",
            got=reply.prompt_sha256[:12] or "no hash",
            fix="Export again and ask again, or name the export that was asked.",
        )
    if earlier is not None:
        raise InputError(
            f"{reply.where}: a second reply to {named}",
            got=f"the first is in {earlier.where}",
            fix="Name one log of one run, with one epoch and no repeats.",
        )


def _prediction(item: ExportedItem, reply: LoggedReply | None) -> Prediction:
    """The reply read anew by the strict rules. None, or a reply that failed, is an error and not a wrong answer."""
    error = _MISSING if reply is None else reply.error
    found = None if reply is None or error else read_reply(reply.raw, item.gold, finished=_finished(reply, item))
    return Prediction(
        item_id=item.item_id,
        task=item.task,
        cluster=item.cluster,
        prompt_sha256=item.prompt_sha256,
        image_sha256s=item.image_sha256s,
        raw=reply.raw if reply else "",
        final=found.final if found else "",
        status=found.status if found else "error",
        parsed=found.parsed if found else None,
        gold=item.gold,
        latency_ms=reply.latency_ms if reply else 0.0,
        tokens_in=reply.tokens_in if reply else 0,
        tokens_out=reply.tokens_out if reply else 0,
        error=error,
    )


def _finished(reply: LoggedReply, item: ExportedItem) -> bool | None:
    """What the log says; where it says nothing but counts tokens, a reply of full length was cut."""
    if reply.finished is None and reply.tokens_out >= item.max_new_tokens:
        return False
    return reply.finished


def _context(exported: Path, harness: Harness, asked: set[str], model: str) -> EvalContext:
    context = EvalContext.model_validate(read_json(Path(exported) / CONTEXT))
    notes = [f"asked by {harness.name}, whose replies were read from its log"]
    notes += [harness.silences] if harness.silences else []
    tasks = [task.model_copy(update={"notes": (*task.notes, *notes)}) for task in context.tasks if task.name in asked]
    return context.model_copy(update={"model": model, "tasks": tuple(tasks)})


def _one_model(models: Sequence[str]) -> str:
    named = list(dict.fromkeys(models))
    if len(named) > 1:
        raise InputError(
            "the logs are of different models", expected="one", got=", ".join(named), fix="Name the logs of one model."
        )
    return named[0] if named else "unknown"
