"""`osler eval`: ask a model the questions of tasks, with, without and with other images, and score its answers."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from osler.core.catalog import BACKENDS, TASKS
from osler.core.files import existing_folder, read_json, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.core.settings import read_settings
from osler.endpoint.client import Retry
from osler.evaluation import config as recipes
from osler.evaluation.canary import Canary, draw_canary, run_canary
from osler.evaluation.cases import write_cases
from osler.evaluation.conditions import Ask, make_asks
from osler.evaluation.config import EvalConfig
from osler.evaluation.context import EvalContext, ItemContext, TaskContext
from osler.evaluation.extraction import open_extractors
from osler.evaluation.flags import flags_path, read_verdicts, with_verdicts
from osler.evaluation.identity import cache_key, check_images, folder_sha256
from osler.evaluation.items import Item, load_items
from osler.evaluation.journal import Journal, read_answers, read_predictions
from osler.evaluation.priors import Gold, from_train, priors, train_golds
from osler.evaluation.results import write_results
from osler.evaluation.runner import LoadBackend, LoadImages, ask_again, ask_all
from osler.evaluation.shots import draw_shots
from osler.evaluation.task import Task
from osler.infer.generator import Backend, Reply
from osler.infer.sampling import Sampling
from osler.schema.prediction import Condition, Prediction
from osler.schema.sample import Split
from osler.scoring.scorer import load_metric
from osler.store.shards import Store

_SEPARATOR = re.compile(r"[+|]")
parse = recipes.parse


def inputs(config: EvalConfig) -> list[Path]:
    """The model's folder, if it is one, the data folders and what is known of contamination.

    Earlier answers (`reuse`) are told apart by their keys alone.
    """
    flags = [flags_path(config.contamination)] if config.contamination else []
    return [*(existing_folder(path) for path in (*([config.model] if config.model else []), *config.data)), *flags]


def is_wanting(out: Path) -> bool:
    """Whether a finished run left questions on which the engine failed, to be asked when it is started again."""
    path = out / "predictions.jsonl"
    return path.is_file() and any(prediction.status == "error" for prediction in read_predictions(path))


def run(config: EvalConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Ask, then score. A run that was cut asks only what is missing and ends with the same `results.json`."""
    tasks = [_with_shots(_on_split(TASKS.load(name), config.split), config.shots) for name in config.tasks]
    stores = [Store(folder) for folder in config.data]
    items = {t.name: load_items(t, stores, limit=config.limit, suffixes=config.suffixes) for t in tasks}
    asks = [ask for task in tasks for ask in _asks(task, items[task.name], stores, config)]
    load_images: LoadImages = lambda source: stores[source.store].media(source.row)  # noqa: E731 - typed by name
    check_images(asks, load_images)
    verdicts = read_verdicts(config.contamination, items) if config.contamination else {}
    with _backend(config, out, device=device, log=log) as load_backend:
        predictions, canary = _answers(config, out, asks, load_backend=load_backend, load_images=load_images, log=log)
    golds = train_golds(tasks, stores, seed=config.seed)
    contexts = []
    for task in tasks:
        own = [ask for ask in asks if ask.item.task == task.name]
        notes = [
            *_condition_notes(items[task.name], own, config.conditions),
            *_overlap_notes(task, items[task.name], stores),
            *_decode_notes(task, canary, seed=config.seed),
        ]
        known = _task_context(task, items[task.name], golds=golds[task.name], notes=notes)
        contexts.append(with_verdicts(known, verdicts))
    context = EvalContext(model=config.name, seed=config.seed, tasks=tuple(contexts))
    write_json(out / "context.json", context.model_dump(mode="json"))
    with open_extractors(config.metric_weights, out, device=device) as extracted:
        num_errors = write_results(out, predictions, context=context, log=log, extracted=extracted)
        metrics = {task.name: load_metric(task.metrics[0]).bound(extracted) for task in tasks}
        num_cases = write_cases(out, predictions, asks, metrics=metrics, stores=stores, seed=config.seed)
    counts = {"predictions": len(predictions), "errors": num_errors, "cases": num_cases}
    message = f"{len(predictions)} answers to {sum(map(len, items.values()))} questions of {len(tasks)} tasks"
    return Outcome(message, seeds={"eval": config.seed}, counts=counts)


def _answers(
    config: EvalConfig, out: Path, asks: Sequence[Ask], *, load_backend: LoadBackend, load_images: LoadImages, log: Log
) -> tuple[list[Prediction], Canary | None]:
    """Every ask's prediction, and how well a part of them was repeated."""
    identity = _identity(config)
    predictions = ask_all(
        asks,
        Journal(out / "predictions.jsonl"),
        keys=[cache_key(ask, identity) for ask in asks],
        known=_known(config.reuse),
        load_backend=load_backend,
        load_images=load_images,
        batch_size=config.batch_size,
        log=log,
    )
    chosen = draw_canary(asks, predictions, size=config.canary, seed=config.seed)
    if not chosen:
        return predictions, None
    canary = run_canary(
        chosen,
        {ask.key: prediction for ask, prediction in zip(asks, predictions, strict=True)},
        out / "canary.json",
        seed=config.seed,
        again=lambda again: ask_again(again, load_backend(again), load_images, batch_size=config.batch_size),
    )
    if canary.all.raw:
        log.warn(f"{canary.all.raw} of {canary.all.answered} answers differed when asked again: see canary.json")
    return predictions, canary


@contextmanager
def _backend(config: EvalConfig, out: Path, *, device: str, log: Log) -> Iterator[LoadBackend]:
    """A function that opens the backend when it is first called, and leaves a record of how it decodes."""
    opened: list[Backend] = []

    def load(asks: Sequence[Ask]) -> Backend:
        if not opened:
            opened.append(_open(config, device=device, log=log))
            if hasattr(opened[0], "check"):
                opened[0].check(vision=any(ask.image_sha256s for ask in asks))
            record = {"backend": opened[0].name, "device": device, **getattr(opened[0], "record", {})}
            write_json(out / "decode.json", record | ({} if config.endpoints else {"batch_size": config.batch_size}))
        return opened[0]

    try:
        yield load
    finally:
        if opened and hasattr(opened[0], "close"):
            opened[0].close()


def _open(config: EvalConfig, *, device: str, log: Log) -> Backend:
    make = BACKENDS.load(config.backend)
    if config.model is not None:
        backend: Backend = make(config.model, device)
        return backend
    remote = config.remote
    served: Backend = make(
        [(endpoint.url, endpoint.model) for endpoint in config.endpoints],
        key=read_settings().api_key,
        retry=Retry(remote.max_tries, remote.first_wait_s),
        timeout_s=remote.timeout_s,
        concurrency=remote.concurrency,
        requests_per_minute=remote.requests_per_minute,
        extra=remote.extra,
        warn=log.warn,
    )
    return served


def _identity(config: EvalConfig) -> dict[str, Any]:
    """What of the model and the engine decides an answer. A URL does not: a server may move."""
    shared = {"name": config.name, "backend": config.backend}
    if config.model is not None:
        # In another batch a sum may round otherwise.
        return shared | {"weights": folder_sha256(config.model), "batch_size": config.batch_size}
    served = sorted({endpoint.model for endpoint in config.endpoints})
    return shared | {"served": served, "revision": config.remote.revision, "extra": config.remote.extra}


def _known(paths: Sequence[Path]) -> dict[str, Reply]:
    """Answers of earlier runs by cache key."""
    return {
        key: Reply(p.raw, p.tokens_in, p.tokens_out, 0.0, finished=p.status != "truncated")
        for path in paths
        for key, p in read_answers(path).items()
    }


def _with_shots(task: Task, shots: int | None) -> Task:
    if shots is None or shots == task.num_shots:
        return task
    return replace(task, num_shots=shots, version=f"{task.version}/{shots}-shot")


def _on_split(task: Task, split: Split | None) -> Task:
    if split is None or split == task.split:
        return task
    return replace(task, split=split, version=f"{task.version}/{split}")


def _asks(task: Task, items: Sequence[Item], stores: Sequence[Store], config: EvalConfig) -> list[Ask]:
    """The task's questions under each condition, in order."""
    sampling = Sampling(max_new_tokens=task.max_new_tokens + config.thinking_tokens)
    shots = draw_shots(task, items, stores, seed=config.seed, suffixes=config.suffixes)
    return [
        ask
        for condition in config.conditions
        for ask in make_asks(
            items, condition, sampling=sampling, reasoning=task.reasoning, seed=config.seed, shots=shots
        )
    ]


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


def _decode_notes(task: Task, canary: Canary | None, *, seed: int) -> list[str]:
    """Exemplars, and whether answers repeat."""
    shown = (
        [f"{task.num_shots} answered questions shown before each, drawn under seed {seed}"] if task.num_shots else []
    )
    return [note for note in (*shown, canary.note(task.name) if canary else "") if note]
