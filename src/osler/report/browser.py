"""Item browser: the kept cases with images, options, raw answers and how these were read, to be filtered by eye.

The filters are drop-down lists and rules of style (`:has(option:checked)`): no script runs, and the keyboard works
them. A browser that does not know the rule shows all cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from osler.report.case_card import Bounds, Entry, card
from osler.report.elements import section, words
from osler.report.evaluations import Case, Evaluation
from osler.report.pictures import Pictures

_OUTCOMES = ("right", "wrong", "unparsed")
_UNCHECKED = "not checked"


@dataclass(frozen=True)
class _Filter:
    """One list: its name, its label, and the values that it can be set to."""

    name: str
    words: str
    values: tuple[str, ...]

    def mark(self, value: str) -> str:
        """The class of cases that have the value."""
        return f"{self.name}-{self.values.index(value)}"


def browser(evaluations: Sequence[Evaluation], *, bounds: Bounds) -> str:
    """The section. Cases of the same item that several evaluations kept stand together."""
    kept = [each for each in evaluations if each.cases]
    if not kept:
        return section("Example cases", words("The evaluation kept no example cases."))
    filters = _filters(evaluations)
    entries, num_left_out = _entries(evaluations, bounds.num_cases)
    pictures = Pictures(max_px=bounds.max_image_px, max_bytes=bounds.max_pictures_bytes)
    cards = "".join(card(entry, _marks(entry, filters), pictures=pictures, bounds=bounds) for entry in entries)
    lists = "".join(map(_list, filters))
    said = (
        "Chosen by a rule and not by eye: of each outcome the first in an order drawn under the seed, one of a patient "
        "as long as patients last. They show what happens, not how often. In a raw answer the words that were read are "
        "marked."
    )
    body = (
        f'{words(said)}<div class="browser"><form class="filters" aria-label="Filter the cases">{lists}</form>'
        f'<div class="cases">{cards}</div><p class="shown" aria-live="polite"> of {len(entries)} items shown</p></div>'
    )
    return section("Example cases", body + _left_out(num_left_out, pictures.num_left_out, bounds))


def browser_style(evaluations: Sequence[Evaluation]) -> str:
    """The rules that hide what a filter does not name."""
    filters = _filters(evaluations)
    wanted: list[tuple[tuple[str, ...], str]] = [
        ((of.mark(value),), of.mark(value)) for of in filters for value in of.values
    ]
    # An answer and a model together ask for that model's answer, not for any model's.
    answers, models = (next(of for of in filters if of.name == name) for name in ("answer", "model"))
    for answer in map(answers.mark, answers.values):
        wanted += [((answer, model), f"{answer}-{model}") for model in map(models.mark, models.values)]
    return "".join(
        f".browser{''.join(f':has(option.{mark}:checked)' for mark in marks)} .case:not(.{kept}) {{ display: none; }}\n"
        for marks, kept in wanted
    )


def _filters(evaluations: Sequence[Evaluation]) -> tuple[_Filter, ...]:
    cases = [case for each in evaluations for case in each.cases]
    return (
        _Filter("task", "task", tuple(dict.fromkeys(case.task for case in cases))),
        _Filter("answer", "answer", _OUTCOMES),
        _Filter("training", "training data", tuple(dict.fromkeys(map(_verdict, cases)))),
        _Filter("model", "model", tuple(each.name for each in evaluations if each.cases)),
    )


def _list(of: _Filter) -> str:
    rows = "".join(f'<option class="{of.mark(value)}">{escape(value)}</option>' for value in of.values)
    return f'<label>{escape(of.words)} <select autocomplete="off"><option>all</option>{rows}</select></label>\n'


def _entries(evaluations: Sequence[Evaluation], num_cases: int) -> tuple[list[Entry], int]:
    """The items in order of tasks, each with the cases that evaluations kept of it, and how many cases are left out."""
    found: dict[tuple[str, str], list[tuple[str, Case]]] = {}
    counts: dict[tuple[str, str, str], int] = {}
    num_left_out = 0
    for evaluation in evaluations:
        for case in evaluation.cases:
            kind = (evaluation.name, case.task, case.outcome)
            counts[kind] = counts.get(kind, 0) + 1
            if counts[kind] > num_cases:
                num_left_out += 1
            else:
                found.setdefault((case.task, case.item_id), []).append((evaluation.name, case))
    tasks = list(dict.fromkeys(task for task, _ in found))
    return [Entry(tuple(found[key])) for key in sorted(found, key=lambda key: tasks.index(key[0]))], num_left_out


def _marks(entry: Entry, filters: Sequence[_Filter]) -> str:
    """The classes of an item: one of each value that any of its cases has."""
    values: dict[str, set[str]] = {
        "task": {case.task for _, case in entry.cases},
        "answer": {case.outcome for _, case in entry.cases},
        "training": {_verdict(case) for _, case in entry.cases},
        "model": {name for name, _ in entry.cases},
    }
    marks = [of.mark(value) for of in filters for value in of.values if value in values[of.name]]
    of = {each.name: each for each in filters}
    marks += [f"{of['answer'].mark(case.outcome)}-{of['model'].mark(name)}" for name, case in entry.cases]
    return " ".join(marks)


def _verdict(case: Case) -> str:
    return case.verdict or _UNCHECKED


def _left_out(num_cases: int, num_pictures: int, bounds: Bounds) -> str:
    said = []
    if num_cases:
        said.append(
            f"{num_cases} kept cases are not shown: at most {bounds.num_cases} of a task, outcome and evaluation."
        )
    if num_pictures:
        said.append(f"{num_pictures} pictures are left out, for the size of the page.")
    return words(" ".join(said)) if said else ""
