"""`osler eval`: ask a model the questions of tasks, with, without and with other images, and score its answers."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import PositiveInt

from osler.core.catalog import BACKENDS, TASKS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import existing_folder, read_json, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.evaluation.cases import write_cases
from osler.evaluation.conditions import Ask, make_asks
from osler.evaluation.context import EvalContext, ItemContext, TaskContext
from osler.evaluation.flags import flags_path, read_verdicts, with_verdicts
from osler.evaluation.items import Item, load_items
from osler.evaluation.journal import Journal
from osler.evaluation.priors import Gold, from_train, priors, train_golds
from osler.evaluation.results import write_results
from osler.evaluation.runner import ask_all
from osler.evaluation.task import Task
from osler.infer.sampling import Sampling
from osler.schema.prediction import Condition
from osler.schema.sample import Split
from osler.store.shards import Store

_SEPARATOR = re.compile(r"[+|]")


class EvalConfig(Config):
    """A recipe of `osler eval`.

    model: a folder that `osler train` wrote. model_name: how results call it; by default after the folder.
    data: folders of shards; their train split, where they have one, gives the majority and the question prior.
    suffixes: whether the tasks' words about the answer's form are added; a model trained without them is asked
    without them.
    split: ask this split, not each task's own; to choose a recipe by validation samples, say. The scores' task version
    then ends in `/SPLIT`, so that they are not taken for the task's.
    contamination: a folder that `osler curate check` wrote of these tasks' data; scores are then also given on the
    items that the training data does not hold, `TASK[clean]`, and on the others, `TASK[flagged]`.
    """

    model: Path
    model_name: str = ""
    backend: str = "local"
    data: tuple[Path, ...]
    tasks: tuple[str, ...]
    conditions: tuple[Condition, ...] = ("image", "blind", "shuffled")
    suffixes: bool = True
    split: Split | None = None
    contamination: Path | None = None
    limit: PositiveInt | None = None
    batch_size: PositiveInt = 64
    seed: int = 0


def parse(recipe: Recipe) -> EvalConfig:
    """The recipe checked: known tasks and backend, each named once, and the image condition among the conditions."""
    config = EvalConfig.parse(recipe)
    for key, names in (("data", config.data), ("tasks", config.tasks), ("conditions", config.conditions)):
        if not names or len(set(names)) != len(names):
            raise InputError(f"recipe: {key} must name each entry once", got=", ".join(map(str, names)) or "none")
    if "image" not in config.conditions:
        raise InputError("recipe: conditions must hold 'image'", got=", ".join(config.conditions))
    for name in config.tasks:
        TASKS.load(name)
    if "." not in config.backend and config.backend not in BACKENDS.names():
        BACKENDS.load(config.backend)
    return config


def inputs(config: EvalConfig) -> list[Path]:
    """The model's folder, the data folders and what is known of contamination."""
    flags = [flags_path(config.contamination)] if config.contamination else []
    return [*(existing_folder(path) for path in (config.model, *config.data)), *flags]


def run(config: EvalConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Ask, then score. A run that was cut asks only what is missing and ends with the same `results.json`."""
    tasks = [_on_split(TASKS.load(name), config.split) for name in config.tasks]
    stores = [Store(folder) for folder in config.data]
    items = {t.name: load_items(t, stores, limit=config.limit, suffixes=config.suffixes) for t in tasks}
    asks = [
        ask
        for task in tasks
        for condition in config.conditions
        for ask in _asks(task, items[task.name], condition, config.seed)
    ]
    predictions = ask_all(
        asks,
        Journal(out / "predictions.jsonl"),
        load_backend=lambda: BACKENDS.load(config.backend)(config.model, device),
        load_images=lambda item: stores[item.store].media(item.row),
        batch_size=config.batch_size,
        log=log,
    )
    verdicts = read_verdicts(config.contamination, items) if config.contamination else {}
    golds = train_golds(tasks, stores, seed=config.seed)
    contexts = []
    for task in tasks:
        own = [ask for ask in asks if ask.item.task == task.name]
        notes = [
            *_condition_notes(items[task.name], own, config.conditions),
            *_overlap_notes(task, items[task.name], stores),
        ]
        known = _task_context(task, items[task.name], golds=golds[task.name], notes=notes)
        contexts.append(with_verdicts(known, verdicts))
    context = EvalContext(model=config.model_name or _name(config.model), seed=config.seed, tasks=tuple(contexts))
    write_json(out / "context.json", context.model_dump(mode="json"))
    num_errors = write_results(out, predictions, context=context, log=log)
    metrics = {task.name: task.metrics[0] for task in tasks}
    num_cases = write_cases(out, predictions, asks, metrics=metrics, stores=stores, seed=config.seed)
    counts = {"predictions": len(predictions), "errors": num_errors, "cases": num_cases}
    message = f"{len(predictions)} answers to {sum(map(len, items.values()))} questions of {len(tasks)} tasks"
    return Outcome(message, seeds={"eval": config.seed}, counts=counts)


def _on_split(task: Task, split: Split | None) -> Task:
    if split is None or split == task.split:
        return task
    return replace(task, split=split, version=f"{task.version}/{split}")


def _asks(task: Task, items: Sequence[Item], condition: Condition, seed: int) -> list[Ask]:
    sampling = Sampling(max_new_tokens=task.max_new_tokens)
    return make_asks(items, condition, sampling=sampling, reasoning=task.reasoning, seed=seed)


def _task_context(task: Task, items: Sequence[Item], *, golds: Sequence[Gold], notes: Sequence[str]) -> TaskContext:
    guesses = priors(items, golds)
    return TaskContext(
        name=task.name,
        version=task.version,
        metrics=task.metrics,
        subgroup=task.subgroup,
        notes=(_prior_note(from_train(items, golds), len(golds)), *notes),
        items=tuple(
            ItemContext(item_id=item.id, subgroup=item.subgroup, **guesses[item.id]._asdict()) for item in items
        ),
    )


def _prior_note(is_from_train: bool, num_golds: int) -> str:
    if is_from_train:
        return f"majority and question_prior were taken from {num_golds} train answers"
    return (
        "majority was taken from the evaluated answers themselves, question_prior from those of other clusters: "
        "the data folders hold no train answers of this form"
    )


def _condition_notes(items: Sequence[Item], asks: Sequence[Ask], conditions: Sequence[Condition]) -> list[str]:
    """What was not asked, and why."""
    if not any(item.image_sha256s for item in items):
        return ["no images: the conditions blind and shuffled do not apply"]
    notes = []
    for condition in conditions:
        missing = len(items) - sum(ask.condition == condition for ask in asks)
        if missing:
            notes.append(f"{condition}: {missing} items were not asked, no other cluster has as many images")
    return notes


def _overlap_notes(task: Task, items: Sequence[Item], stores: Sequence[Store]) -> list[str]:
    """Shared images between the asked split and train, as `osler curate` counted them in `overlap.json`."""
    notes = []
    for number in sorted({item.store for item in items}):
        path = stores[number].folder / "overlap.json"
        counts = read_json(path) if path.is_file() else {}
        shared = sum(n for pair, n in counts.items() if set(_SEPARATOR.split(pair)) == {"train", task.split})
        if shared:
            notes.append(f"official train and {task.split} splits share images: {shared}")
    return notes


def _name(model: Path) -> str:
    """The folder's own name, or its parent's where it is just called `model`."""
    path = Path(model)
    return path.parent.name if path.name == "model" and path.parent.name else path.name
