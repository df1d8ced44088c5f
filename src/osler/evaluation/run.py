"""`osler eval`: ask a model the questions of tasks, with, without and with other images, and score its answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from osler.core.catalog import TASKS
from osler.core.files import existing_folder
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.evaluation import config as recipes
from osler.evaluation.canary import Canary, draw_canary, run_canary
from osler.evaluation.cases import write_cases
from osler.evaluation.conditions import Ask, make_asks
from osler.evaluation.config import EvalConfig
from osler.evaluation.context import EvalContext, ItemContext, TaskContext, write_context
from osler.evaluation.engine import model_identity, open_engine
from osler.evaluation.extraction import open_extractors
from osler.evaluation.flags import flags_path, read_verdicts, with_verdicts
from osler.evaluation.identity import cache_key, check_images
from osler.evaluation.items import Item, load_items
from osler.evaluation.journal import Journal, read_answers, read_predictions
from osler.evaluation.notes import condition_notes, decode_notes, overlap_notes, prior_note
from osler.evaluation.priors import Gold, from_train, priors, train_golds
from osler.evaluation.results import write_results
from osler.evaluation.runner import LoadBackend, LoadImages, ask_again, ask_all
from osler.evaluation.shots import draw_shots
from osler.evaluation.subsets import subsets_of
from osler.evaluation.task import Task
from osler.infer.generator import Reply
from osler.infer.sampling import Sampling
from osler.schema.prediction import Prediction
from osler.schema.sample import Split
from osler.scoring.scorer import load_metric
from osler.store.shards import Store

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
    with open_engine(config, out, device=device, log=log) as load_backend:
        predictions, canary = _answers(config, out, asks, load_backend=load_backend, load_images=load_images, log=log)
    golds = train_golds(tasks, stores, seed=config.seed)
    contexts = []
    for task in tasks:
        own = [ask for ask in asks if ask.item.task == task.name]
        notes = [
            *condition_notes(items[task.name], own, config.conditions),
            *overlap_notes(task, items[task.name], stores),
            *decode_notes(task, canary, seed=config.seed),
        ]
        known = _task_context(task, items[task.name], golds=golds[task.name], notes=notes)
        contexts.append(with_verdicts(known, verdicts))
    context = EvalContext(model=config.name, seed=config.seed, tasks=tuple(contexts))
    write_context(out, context)
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
    identity = model_identity(config)
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
        notes=(prior_note(from_train(items, golds), len(golds)), *notes),
        items=tuple(
            ItemContext(item_id=item.id, subgroup=item.subgroup, subsets=subsets_of(item), **guesses[item.id]._asdict())
            for item in items
        ),
    )
