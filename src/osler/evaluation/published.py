"""Published scores of a recipe: each must be of a task that is asked and of a metric that measures it."""

from collections.abc import Mapping, Sequence

from osler.core.catalog import TASKS
from osler.core.errors import InputError, did_you_mean
from osler.evaluation.task import Task
from osler.schema.result import Published
from osler.scoring.scorer import load_metric


def check_published(published: Mapping[str, Sequence[Published]], tasks: Sequence[str]) -> None:
    """Raise InputError for a task not asked, a metric that the task does not have, or a value out of its range."""
    for name, scores in published.items():
        if name not in tasks:
            raise InputError(
                f"recipe: published names task {name!r}, which is not asked",
                expected=f"one of {', '.join(tasks)}",
                fix=did_you_mean(name, tasks),
            )
        task: Task = TASKS.load(name)
        for score in scores:
            _check(task, score)


def _check(task: Task, score: Published) -> None:
    where = f"recipe: published.{task.name}, {score.model}"
    if score.metric not in task.metrics:
        fix = did_you_mean(score.metric, task.metrics)
        raise InputError(f"{where}: the task has no metric {score.metric!r}", expected=", ".join(task.metrics), fix=fix)
    low, high = load_metric(score.metric).range
    if not low <= score.value <= high:
        raise InputError(
            f"{where}: {score.metric} cannot be {score.value:g}",
            expected=f"{low:g} to {high:g}",
            fix="Write a percentage as a fraction: 71.53 as 0.7153." if score.value > high else "",
        )
