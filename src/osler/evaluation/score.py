"""`osler score`: `results.json` again from `predictions.jsonl`, without the model and without the data."""

from collections.abc import Sequence
from pathlib import Path

from osler.core.catalog import TASKS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.evaluation.context import NAME, EvalContext, TaskContext, read_context, write_context
from osler.evaluation.extraction import open_extractors
from osler.evaluation.journal import read_predictions, write_predictions
from osler.evaluation.results import read_again, write_results
from osler.evaluation.task import Task
from osler.schema.prediction import Prediction
from osler.scoring.report_metrics.extract import check_names
from osler.scoring.scorer import load_metric


class ScoreConfig(Config):
    """A recipe of `osler score`.

    predictions: the file that `osler eval` wrote. The `context.json` beside it holds the guesses for the majority and
    the question prior; without it these baselines are absent. metrics: further metrics, for every task.
    metric_weights: folders of the models that metrics of whole reports need, by name (`radgraph`, `chexbert`, ...).
    """

    predictions: Path
    metrics: tuple[str, ...] = ()
    model_name: str = ""
    metric_weights: dict[str, Path] = {}


def parse(recipe: Recipe) -> ScoreConfig:
    """The recipe checked: known metrics."""
    config = ScoreConfig.parse(recipe)
    check_names(config.metric_weights)
    for name in config.metrics:
        load_metric(name)
    return config


def inputs(config: ScoreConfig) -> list[Path]:
    """The predictions and, where there is one, their context."""
    context = config.predictions.with_name(NAME)
    return [existing_file(config.predictions), *([context] if context.is_file() else [])]


def run(config: ScoreConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Extract every answer anew, score, write. On `device` run the models of `metric_weights` and no others.

    The predictions as they are now read are written, too, so that `osler compare` finds all that it needs.
    """
    before = read_predictions(config.predictions)
    if not before:
        raise InputError(f"{config.predictions} holds no prediction", fix="Run osler eval first.")
    predictions = [read_again(prediction) for prediction in before]
    context = _with_metrics(_context(config.predictions, predictions, config.model_name), config.metrics)
    write_predictions(out / "predictions.jsonl", predictions)
    write_context(out, context)
    with open_extractors(config.metric_weights, out, device=device) as extracted:
        num_errors = write_results(out, predictions, context=context, log=log, extracted=extracted)
    changed = sum(old.parsed != new.parsed for old, new in zip(before, predictions, strict=True))
    counts = {"predictions": len(predictions), "errors": num_errors, "read_otherwise": changed}
    return Outcome(f"{len(predictions)} answers scored, {changed} read otherwise than before", counts=counts)


def _context(path: Path, predictions: Sequence[Prediction], model_name: str) -> EvalContext:
    """The context beside the predictions, or one made of what the predictions and the task files say."""
    context = read_context(path.parent)
    if context is not None:
        return context.model_copy(update={"model": model_name}) if model_name else context
    tasks: list[Task] = [TASKS.load(name) for name in dict.fromkeys(p.task for p in predictions)]
    return EvalContext(
        model=model_name or "unknown",
        tasks=tuple(TaskContext(name=task.name, version=task.version, metrics=task.metrics) for task in tasks),
    )


def _with_metrics(context: EvalContext, metrics: Sequence[str]) -> EvalContext:
    tasks = [
        task.model_copy(update={"metrics": tuple(dict.fromkeys([*task.metrics, *metrics]))}) for task in context.tasks
    ]
    return context.model_copy(update={"tasks": tuple(tasks)})
