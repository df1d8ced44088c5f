"""Subsets: scores by the parts of a task (clean or flagged items, modality, question type), each with its count."""

from collections.abc import Sequence
from html import escape

from osler.report.elements import html_table, section, words
from osler.report.evaluations import Evaluation, Subset
from osler.report.tables import NOT_MEASURED, Table, interval, label, number

_COLUMNS = ("value", "95 % interval", "n", "clusters", "unparsed")
_NOTHING = (
    "The evaluations kept no parts: no task has items of several modalities, question types or verdicts of a check "
    "against the training data."
)


def subset_tables(evaluations: Sequence[Evaluation]) -> str:
    """The section: a table of each task, open where it is the only one."""
    tasks = list(dict.fromkeys(subset.task for each in evaluations for subset in each.subsets))
    if not tasks:
        return section("Subsets", words(_NOTHING))
    opened = " open" if len(tasks) == 1 else ""
    tables = [
        f"<details{opened}><summary>{escape(task)}</summary>{html_table(_table(task, evaluations))}</details>\n"
        for task in tasks
    ]
    return section("Subsets", "".join(tables))


def _table(task: str, evaluations: Sequence[Evaluation]) -> Table:
    several = len(evaluations) > 1
    found = [(each.name, subset) for each in evaluations for subset in each.subsets if subset.task == task]
    order = list(dict.fromkeys((subset.metric, subset.column, subset.part) for _, subset in found))
    found.sort(key=lambda pair: order.index((pair[1].metric, pair[1].column, pair[1].part)))
    rows = tuple(((name,) if several else ()) + _row(subset) for name, subset in found)
    columns = (*(("model",) if several else ()), "metric", "by", "subset", *_COLUMNS)
    caption = f"{task}: no correction is made for the many parts; a small n has a wide interval."
    return Table(caption, columns, rows, first_number=len(columns) - len(_COLUMNS))


def _row(subset: Subset) -> tuple[str, ...]:
    return (
        subset.metric,
        "training data" if subset.column == "verdict" else label(subset.column),
        subset.part or "(none)",
        number(subset.value),
        interval(subset.ci_low, subset.ci_high),
        f"{subset.n:,}",
        NOT_MEASURED if subset.n_clusters is None else f"{subset.n_clusters:,}",
        NOT_MEASURED if subset.unparsed is None else _share(subset.unparsed, subset.n),
    )


def _share(count: int, n: int) -> str:
    return f"{count} ({100 * count / n:.1f} %)" if n else str(count)
