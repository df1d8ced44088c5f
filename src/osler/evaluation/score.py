"""`osler score`: `results.json` from `predictions.jsonl` or another program's log, without model and data.

With `method: rubric` the reasoning in kept answers is judged instead, with `method: preference` models against others.
"""

from collections.abc import Sequence
from pathlib import Path

from osler.core.catalog import HARNESSES, TASKS
from osler.core.config import Config, Recipe
from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_file, existing_folder
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.evaluation.context import NAME, EvalContext, TaskContext, read_context, write_context
from osler.evaluation.export_tasks import CONTEXT, ITEMS
from osler.evaluation.extraction import open_extractors
from osler.evaluation.import_logs import import_logs, log_files
from osler.evaluation.journal import read_predictions, write_predictions
from osler.evaluation.judging import preference, rubric
from osler.evaluation.judging.preference import PreferenceConfig
from osler.evaluation.judging.rubric import RubricConfig
from osler.evaluation.parsers import add_compat_results
from osler.evaluation.results import read_again, write_results
from osler.evaluation.task import Task
from osler.schema.prediction import Prediction
from osler.scoring.parser import load_parser
from osler.scoring.report_metrics.extract import check_names
from osler.scoring.scorer import load_metric


class ScoreConfig(Config):
    """A recipe of `osler score`.

    predictions: the file that `osler eval` wrote. The `context.json` beside it holds the guesses for the majority and
    the question prior; without it these baselines are absent.
    logs, harness, exported: instead, sample logs (or folders of them) that another program wrote on the tasks which
    `osler export-tasks` wrote for it into the folder `exported`. allow_missing: score although items have no reply;
    they are left out of n and counted.
    metrics: further metrics, for every task. parsers: other programs' rules whose scores, labelled, are added.
    metric_weights: folders of the models that metrics of whole reports need, by name (`radgraph`, `chexbert`, ...).
    """

    predictions: Path | None = None
    logs: tuple[Path, ...] = ()
    harness: str = ""
    exported: Path | None = None
    allow_missing: bool = False
    metrics: tuple[str, ...] = ()
    parsers: tuple[str, ...] = ()
    model_name: str = ""
    metric_weights: dict[str, Path] = {}


AnyConfig = ScoreConfig | RubricConfig | PreferenceConfig
METHODS = {"rubric": rubric, "preference": preference}


def parse(recipe: Recipe) -> AnyConfig:
    """The recipe checked: one source of answers, known metrics, parsers and harness; or a method of judging."""
    method = recipe.get("method")
    if method is not None and method not in METHODS:
        raise InputError(
            f"recipe: unknown method {method!r}",
            expected=f"{' or '.join(METHODS)}; or none, to score answers by metrics",
            fix=did_you_mean(str(method), list(METHODS)),
        )
    if method == "rubric":
        return rubric.check(RubricConfig.parse(recipe))
    if method == "preference":
        return preference.check(PreferenceConfig.parse(recipe))
    return _checked(ScoreConfig.parse(recipe))


def _checked(config: ScoreConfig) -> ScoreConfig:
    check_names(config.metric_weights)
    for name in config.metrics:
        load_metric(name)
    for name in config.parsers:
        load_parser(name)
    if (config.predictions is None) == (not config.logs):
        raise InputError(
            "recipe: which answers?",
            expected="either predictions (a file of osler eval) or logs (of another program)",
            got="both" if config.logs else "neither",
        )
    if config.logs:
        HARNESSES.load(config.harness)
        if config.exported is None:
            raise InputError("recipe: logs need exported", expected="the folder that osler export-tasks wrote")
    return config


def inputs(config: AnyConfig) -> list[Path]:
    """The predictions and, where there is one, their context; or the logs and what was exported."""
    if isinstance(config, RubricConfig):
        return rubric.inputs(config)
    if isinstance(config, PreferenceConfig):
        return preference.inputs(config)
    if config.predictions is not None:
        context = config.predictions.with_name(NAME)
        return [existing_file(config.predictions), *([context] if context.is_file() else [])]
    exported = existing_folder(config.exported or Path())
    logs = log_files(HARNESSES.load(config.harness), config.logs)
    return [*logs, existing_file(exported / ITEMS), existing_file(exported / CONTEXT)]


def run(config: AnyConfig, out: Path, *, device: str, log: Log) -> Outcome:
    """Extract every answer anew, score, write. On `device` run the models of `metric_weights` and no others.

    The predictions as they are now read are written, too, so that `osler compare` finds all that it needs.
    """
    if isinstance(config, RubricConfig):
        return rubric.run(config, out, log)
    if isinstance(config, PreferenceConfig):
        return preference.run(config, out, log)
    return _score(config, out, device, log)


def _score(config: ScoreConfig, out: Path, device: str, log: Log) -> Outcome:
    if config.predictions is None:
        predictions, context = _import(config)
        before = predictions
    else:
        before = read_predictions(config.predictions)
        if not before:
            raise InputError(f"{config.predictions} holds no prediction", fix="Run osler eval first.")
        predictions = [read_again(prediction) for prediction in before]
        context = _context(config.predictions, predictions, config.model_name)
    context = _with_metrics(context, config.metrics)
    write_predictions(out / "predictions.jsonl", predictions)
    write_context(out, context)
    with open_extractors(config.metric_weights, out, device=device) as extracted:
        num_errors = write_results(out, predictions, context=context, log=log, extracted=extracted)
    add_compat_results(out, predictions, config.parsers, context=context)
    changed = sum(old.parsed != new.parsed for old, new in zip(before, predictions, strict=True))
    counts = {"predictions": len(predictions), "errors": num_errors, "read_otherwise": changed}
    return Outcome(f"{len(predictions)} answers scored, {changed} read otherwise than before", counts=counts)


def _import(config: ScoreConfig) -> tuple[list[Prediction], EvalContext]:
    return import_logs(
        config.harness,
        config.exported or Path(),
        config.logs,
        allow_missing=config.allow_missing,
        model_name=config.model_name,
    )


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
