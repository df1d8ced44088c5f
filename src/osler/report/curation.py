"""Read what a page about a curation tells of: funnel, scores, terms, weights, overlap, examples of kept and dropped."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from osler.core.catalog import OPERATORS
from osler.core.errors import InputError
from osler.core.files import existing_file, existing_folder, read_json
from osler.curate.asking.record import read_asked
from osler.report.examples import Example, Wanted, dropped_examples, kept_examples
from osler.store.reader import Store

_CHOICE = ("adapter", "select_tags", "use", "filters", "cap")
_LIMIT = re.compile(r"\b(above|below) (-?[\d.]+(?:e[+-]?\d+)?)")


@dataclass(frozen=True)
class Step:
    """What one rule dropped of one split of a set, for one kind of reason; `left` is how many rows went on."""

    split: str
    dataset: str
    rule: str
    kind: str
    dropped: int
    left: int


@dataclass(frozen=True)
class Scores:
    """The scores with which one rule dropped for one kind of reason; `limit` is the one that was broken, if one."""

    rule: str
    kind: str
    values: tuple[float, ...]
    limit: float | None
    side: str


@dataclass(frozen=True)
class Curation:
    """All that the page tells of."""

    name: str
    recipe: dict[str, Any]
    mixture: dict[str, Any]
    steps: tuple[Step, ...]
    scores: tuple[Scores, ...]
    answers: dict[str, dict[str, int]]
    dropped: dict[str, tuple[Example, ...]]
    kept: dict[str, tuple[Example, ...]]
    overlap: dict[str, int]
    contamination: dict[str, Any] | None


def gather_curation(folder: Path, *, contamination: Path | None, num_examples: int, max_rows_read: int) -> Curation:
    """Read a finished output folder of `osler curate`.

    Args:
        folder: of the curation.
        contamination: of `osler curate check` on it; None where there is none.
        num_examples: shown of each rule's drops and of each set's samples.
        max_rows_read: rows of each split of a set that are read again in search of dropped examples.

    Raises:
        InputError: the folder is none of a finished curation.
    """
    mixture = read_json(existing_folder(folder) / "mixture.json")
    recipe = yaml.safe_load(existing_file(folder / "recipe.yaml").read_text(encoding="utf-8"))
    drops = pq.read_table(existing_file(folder / "drops.parquet"), partitioning=None)
    order = rules_in_order(recipe, set(drops["rule"].to_pylist()))
    wanted = [each for rule in order for each in _chosen(drops, rule, num_examples)]
    shown = dropped_examples(wanted, recipe, max_rows_read=max_rows_read)
    store = Store(folder) if any((folder / "index").glob("*.parquet")) else None
    asked = read_asked(folder)
    overlap = folder / "overlap.json"
    return Curation(
        name=folder.name,
        recipe=recipe,
        mixture=mixture,
        steps=tuple(_steps(mixture, order)),
        scores=tuple(_scores(drops, order)),
        answers=_answers(asked),
        dropped={rule: tuple(each for each in shown if each.rule == rule) for rule in order},
        kept=kept_examples(store, asked, num_examples=num_examples) if store else {},
        overlap=read_json(overlap) if overlap.is_file() else {},
        contamination=_contamination(contamination),
    )


def rules_in_order(recipe: dict[str, Any], rules: Iterable[str]) -> list[str]:
    """Rules as they were applied: the adapter and the choice, operators on the whole set, volumes, the others."""
    operators = [name for entry in recipe.get("operators", ()) for name in entry]
    on_all = [name for name in operators if name in OPERATORS.names() and OPERATORS.load(name).scope == "all"]
    order = [*_CHOICE, *on_all, "volumes", *(name for name in operators if name not in on_all)]
    return sorted(set(rules), key=lambda rule: (order.index(rule) if rule in order else len(order), rule))


def _steps(mixture: dict[str, Any], order: Sequence[str]) -> Iterable[Step]:
    for split, sets in mixture["splits"].items():
        for name, facts in sets.items():
            left = facts["rows"]
            found = [(*key.split(": ", 1), count) for key, count in facts["dropped"].items()]
            for rule, kind, count in sorted(found, key=lambda each: (_place(order, each[0]), each[1])):
                left -= count
                yield Step(split, name, rule, kind, count, left)


def _place(order: Sequence[str], rule: str) -> int:
    return order.index(rule) if rule in order else len(order)


def _scores(drops: pa.Table, order: Sequence[str]) -> Iterable[Scores]:
    found: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for row in drops.filter(pc.is_valid(drops["score"])).select(["rule", "reason", "score"]).to_pylist():
        kind, _, words = row["reason"].partition(":")
        found.setdefault((row["rule"], kind), []).append((row["score"], words))
    for (rule, kind), pairs in sorted(found.items(), key=lambda item: (_place(order, item[0][0]), item[0][1])):
        limits = Counter(match.groups() for _, words in pairs if (match := _LIMIT.search(words)))
        side, limit = limits.most_common(1)[0][0] if len(limits) == 1 else ("", None)
        values = tuple(sorted(score for score, _ in pairs))
        yield Scores(rule, kind, values, None if limit is None else float(limit), side)


def _chosen(drops: pa.Table, rule: str, number: int) -> list[Wanted]:
    """Some drops of a rule, by a lot that depends on their ids alone."""
    of_rule = drops.filter(pc.equal(drops["rule"], rule)).select(["id", "reason", "matched_id"]).to_pylist()
    of_rule.sort(key=lambda row: blake2b(row["id"].encode(), digest_size=8).digest())
    return [Wanted(row["id"], rule, row["reason"], row["matched_id"]) for row in of_rule[:number]]


def _answers(asked: pa.Table) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in asked.select(["rule", "answer", "problem"]).to_pylist():
        of_rule = counts.setdefault(row["rule"], {"answered": 0, "without a readable answer": 0})
        of_rule["answered" if row["answer"] else "without a readable answer"] += 1
    return counts


def _contamination(folder: Path | None) -> dict[str, Any] | None:
    if folder is None:
        return None
    found = read_json(existing_folder(folder) / "contamination.json")
    if not isinstance(found, dict) or not isinstance(found.get("datasets"), dict):
        raise InputError(f"{folder / 'contamination.json'} is no summary of osler curate check")
    return found
