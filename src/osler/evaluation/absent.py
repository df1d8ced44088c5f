"""Tasks whose items are not at hand: said in the results with the way to get them, never skipped in silence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.files import existing_folder
from osler.curate.at_hand import is_here, status
from osler.datasets.dataset import Dataset
from osler.evaluation.context import EvalContext, TaskContext
from osler.evaluation.items import select
from osler.evaluation.task import Task
from osler.schema.result import Published, Result
from osler.scoring.scorer import load_metric
from osler.store.shards import Store

Absent = Literal["refuse", "report"]

_HOW = {
    "here": "its published files are in {root}: `osler curate` makes items of them, or says why not",
    "other split": "{root} holds other splits of it: `osler show {name} root={root}` tells what is missing",
    "hub": "`osler curate` fetches it from the hub ({hub}), `osler show {name}` tells terms and layout",
    "elsewhere": "`osler show {name}` tells where it is published and the layout in which it goes to {root}",
    "on request": "its owners give access on request: `osler show {name}` tells where, and the layout for {root}",
}


def data_folders(paths: Sequence[Path], *, absent: Absent) -> list[Path]:
    """The data folders; where absent ones are reported, those that are there.

    Raises:
        InputError: one is missing, or, where that is reported, all are.
    """
    if absent == "refuse":
        return [existing_folder(path) for path in paths]
    here = [Path(path) for path in paths if Path(path).is_dir()]
    if not here:
        raise InputError(
            "none of the data folders is there", got=", ".join(map(str, paths)), fix="Run osler curate first."
        )
    return here


def at_hand(tasks: Sequence[Task], stores: Sequence[Store], *, absent: Absent) -> list[Task]:
    """The tasks that can be asked: all where an absent one is refused, else those of which there is an item."""
    return [task for task in tasks if absent == "refuse" or _is_here(task, stores)]


def absent_context(task: Task, data_root: Path) -> TaskContext:
    """What the results say of a task that is not at hand; `data_root` is where published files are looked for."""
    absent = how_to_get(task, data_root)
    return TaskContext(name=task.name, version=task.version, metrics=task.metrics, absent=absent)


def how_to_get(task: Task, data_root: Path) -> str:
    """Which items are missing, and the command that tells how to get them."""
    dataset: Dataset = ADAPTERS.load(task.dataset)
    root = Path(data_root) / task.dataset
    known = status(dataset, task.dataset, Path(data_root))
    if known == "here" and not is_here(dataset, task.dataset, root, split=task.split):
        known = "other split"
    way = _HOW[known].format(name=task.dataset, root=root, hub=dataset.hub_id)
    which = ", ".join([*task.tasks, *task.tags])
    missing = f"{task.dataset}/{task.split}" + (f" ({which})" if which else "")
    return f"not at hand: no data folder holds {missing}; {way}"


def absent_results(task: TaskContext, context: EvalContext) -> list[Result]:
    """A record without a value for each metric of a task that is not at hand."""
    return [
        Result(
            task=task.name,
            task_version=task.version,
            metric=metric.name,
            metric_signature=metric.signature,
            value=None,
            n=0,
            n_clusters=0,
            unparsed=0,
            model=context.model,
            dataset_ids_sha256="",
            prompt=task.prompt,
            published=published_for(task, metric.name),
            notes=(task.absent,),
        )
        for metric in map(load_metric, task.metrics)
    ]


def published_for(task: TaskContext, metric: str) -> tuple[Published, ...]:
    """The published scores of the task under one metric."""
    return tuple(each for each in task.published if each.metric == metric)


def _is_here(task: Task, stores: Sequence[Store]) -> bool:
    return any(select(task, store, task.split).num_rows for store in stores)
