"""`osler export-tasks`: tasks as another evaluation program reads them, with what it takes to score its replies."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import NonNegativeInt, PositiveInt

from osler.core.catalog import HARNESSES, TASKS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import atomic_write, existing_folder, sha256_bytes, sha256_json, write_json, write_text
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.evaluation.conditions import Ask, make_asks, with_images
from osler.evaluation.context import EvalContext, ItemContext, TaskContext
from osler.evaluation.harness import ExportedItem, Harness, TaskExport, json_lines
from osler.evaluation.items import load_items
from osler.evaluation.priors import priors, train_golds
from osler.evaluation.shots import draw_shots
from osler.evaluation.task import Task
from osler.infer.sampling import Sampling
from osler.media.image import encode_png8, open_picture
from osler.schema.media import MediaRef
from osler.store.shards import Store

ITEMS, CONTEXT = "items.jsonl", "context.json"


class ExportTasksConfig(Config):
    """A recipe of `osler export-tasks`.

    to: the program: `lm_eval`, `lmms_eval` or `inspect_ai`. data: folders of shards. suffixes, limit, seed: as in a
    recipe of `osler eval`. thinking_tokens: what a model that reasons may write beyond the task's own limit.
    """

    to: str
    tasks: tuple[str, ...]
    data: tuple[Path, ...]
    suffixes: bool = True
    thinking_tokens: NonNegativeInt = 0
    limit: PositiveInt | None = None
    seed: int = 0


def parse(recipe: Recipe) -> ExportTasksConfig:
    """The recipe checked: a known program and known tasks, each named once."""
    config = ExportTasksConfig.parse(recipe)
    for key, names in (("data", config.data), ("tasks", config.tasks)):
        if not names or len(set(names)) != len(names):
            raise InputError(f"recipe: {key} must name each entry once", got=", ".join(map(str, names)) or "none")
    HARNESSES.load(config.to)
    for name in config.tasks:
        TASKS.load(name)
    return config


def inputs(config: ExportTasksConfig) -> list[Path]:
    """The data folders."""
    return [existing_folder(path) for path in config.data]


def run(config: ExportTasksConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Write the tasks, their images, and `items.jsonl` and `context.json`. `device` is not used: no model runs."""
    harness: Harness = HARNESSES.load(config.to)
    tasks: list[Task] = [TASKS.load(name) for name in config.tasks]
    stores = [Store(folder) for folder in config.data]
    asks = {task.name: _asks(task, stores, config) for task in tasks}
    _check_turns(harness, asks)
    exports = [TaskExport(task, tuple(_export(a, task, stores, out) for a in asks[task.name])) for task in tasks]
    write_text(
        out / ITEMS, json_lines(i.model_dump(mode="json", exclude_defaults=True) for e in exports for i in e.items)
    )
    write_json(out / CONTEXT, _context(tasks, asks, stores, config.seed).model_dump(mode="json"))
    command = harness.write(exports, out)
    write_text(out / "README.md", _readme(harness, command))
    num_items = sum(len(export.items) for export in exports)
    return Outcome(
        f"{num_items} questions of {len(tasks)} tasks for {harness.package}; see {out / 'README.md'}",
        seeds={"export": config.seed},
        counts={"items": num_items, "images": len(list((out / "images").glob("*.png")))},
    )


def _asks(task: Task, stores: Sequence[Store], config: ExportTasksConfig) -> list[Ask]:
    """The task's questions with their images, just as `osler eval` asks them."""
    items = load_items(task, stores, limit=config.limit, suffixes=config.suffixes)
    shots = draw_shots(task, items, stores, seed=config.seed, suffixes=config.suffixes)
    sampling = Sampling(max_new_tokens=task.max_new_tokens + config.thinking_tokens)
    return make_asks(items, "image", sampling=sampling, reasoning=task.reasoning, seed=config.seed, shots=shots)


def _check_turns(harness: Harness, asks: dict[str, list[Ask]]) -> None:
    for name, asked in asks.items():
        many = [ask for ask in asked if len(ask.turns) > 1]
        if many and not harness.many_turns:
            raise InputError(
                f"{harness.name} cannot ask task {name!r}: other turns come before the question",
                expected="questions of one turn",
                got=f"{len(many)} of {len(asked)} with more, the first {many[0].item.id!r}",
                fix="Export to inspect_ai.",
            )


def _export(ask: Ask, task: Task, stores: Sequence[Store], out: Path) -> ExportedItem:
    places = iter(ref for turn in ask.turns for ref in turn.media)
    files = [(next(places), data) for source in ask.pictured for data in stores[source.store].media(source.row)]
    media = [MediaRef(path=_write_image(out, ref, data)) for ref, data in files]
    return ExportedItem(
        item_id=ask.item.id,
        task=task.name,
        task_version=task.version,
        cluster=ask.item.cluster,
        turns=with_images(ask.turns, media),
        max_new_tokens=ask.sampling.max_new_tokens,
        prompt_sha256=ask.prompt_sha256,
        image_sha256s=ask.image_sha256s,
        gold=ask.item.sample.answer,
    )


def _write_image(out: Path, ref: MediaRef, data: bytes) -> str:
    """The image as Osler's own model sees it, windowed and upright, as an 8-bit PNG; its path below `out`.

    Raises:
        InputError: it cannot be shown.
    """
    window = [ref.window.center, ref.window.width] if ref.window else None
    name = f"images/{sha256_json([sha256_bytes(data), window])[:24]}.png"
    if not (out / name).is_file():
        with atomic_write(out / name) as file:
            file.write(encode_png8(np.asarray(open_picture(data, ref))))
    return name


def _context(tasks: Sequence[Task], asks: dict[str, list[Ask]], stores: Sequence[Store], seed: int) -> EvalContext:
    """What scoring needs to know besides the replies; the model is known when a log is read."""
    golds = train_golds(tasks, stores, seed=seed)
    contexts = []
    for task in tasks:
        items = [ask.item for ask in asks[task.name]]
        guesses = priors(items, golds[task.name])
        known = tuple(ItemContext(item_id=i.id, subgroup=i.subgroup, **guesses[i.id]._asdict()) for i in items)
        contexts.append(
            TaskContext(name=task.name, version=task.version, metrics=task.metrics, subgroup=task.subgroup, items=known)
        )
    return EvalContext(model="", seed=seed, tasks=tuple(contexts))


def _readme(harness: Harness, command: str) -> str:
    return (
        f"Tasks of Osler for {harness.package}.\n\nIn this folder:\n\n    {command}\n\n"
        "That program's own score compares words and is there to watch the run by. For the score by Osler's rules:\n\n"
        f"    osler score recipes/eval/import_log.yaml harness={harness.name} \\\n"
        "        exported=THIS_FOLDER logs=[LOGS] --out SCORES\n"
    )
