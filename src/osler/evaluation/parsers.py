"""Scores of one run under Osler's strict rules and under other programs' own, and how far apart they lie."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from osler.core.files import read_json, sha256_json, write_json
from osler.core.rng import generator
from osler.evaluation.context import EvalContext, TaskContext
from osler.schema.base import Record
from osler.schema.prediction import Prediction
from osler.schema.result import Result
from osler.scoring.intervals import interval
from osler.scoring.parser import Parser, Verdict, load_parser
from osler.scoring.scorer import load_metric

STRICT = "strict"
_STRICT_METRICS = {"accuracy": "exact_match", "token_recall": "token_recall"}
"""By what a parser measures, the metric of Osler's that measures the same on a strictly read answer."""


class ParserScore(Record):
    """One parser's score of one kind of answer of one task.

    metric: the measure, and of a parser that is not strict its label `MEASURE[compat:NAME]`.
    expected: the value with every drawn guess replaced by the mean of its draws; None where none was drawn.
    left_out: items that the parser's own rule takes out of its mean.
    difference: the value minus the strict value of all items; with an interval where no item was left out.
    gained, lost: items whose score is higher, or lower, than under the strict rules; ids in `gained_ids`, `lost_ids`.
    """

    task: str
    kind: str
    measure: str
    parser: str
    metric: str
    signature: str
    n: int
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    ci_method: str = ""
    expected: float | None = None
    unparsed: int = 0
    guessed: int = 0
    left_out: int = 0
    errors: int = 0
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    gained: int = 0
    lost: int = 0
    gained_ids: tuple[str, ...] = ()
    lost_ids: tuple[str, ...] = ()


class Spread(Record):
    """The lowest and the highest score that one set of saved replies has under the parsers compared."""

    task: str
    kind: str
    measure: str
    lowest: float
    lowest_parser: str
    highest: float
    highest_parser: str


class _Marked(NamedTuple):
    prediction: Prediction
    verdict: Verdict


def compare_parsers(predictions: Sequence[Prediction], names: Sequence[str], *, seed: int) -> list[ParserScore]:
    """A row for each task, kind of answer, measure and parser, the strict one first.

    Only real answers count: condition `image`, and none that the engine failed on. A kind that no parser marks is left
    out. Draws are seeded by item, so that neither order nor selection changes them.
    """
    parsers = [load_parser(name) for name in names]
    rows: list[ParserScore] = []
    for (_, kind), asked in _groups(predictions).items():
        measures = dict.fromkeys(parser.measures[kind] for parser in parsers if kind in parser.measures)
        for measure in measures:
            strict = [_Marked(p, _strict_verdict(p, measure)) for p in asked if p.status != "error"]
            rows.append(_row(strict, strict, asked, measure=measure))
            for parser in parsers:
                if parser.measures.get(kind) == measure:
                    marked = [_Marked(p, mark(p, parser, seed=seed)) for p, _ in strict]
                    rows.append(_row(marked, strict, asked, measure=measure, parser=parser))
    return rows


def find_spreads(rows: Sequence[ParserScore]) -> list[Spread]:
    """By task, kind and measure, the lowest and the highest value."""
    spreads = []
    for key in dict.fromkeys((row.task, row.kind, row.measure) for row in rows):
        held = [row for row in rows if (row.task, row.kind, row.measure) == key and row.value is not None]
        if held:
            low, high = min(held, key=lambda row: row.value or 0.0), max(held, key=lambda row: row.value or 0.0)
            spreads.append(
                Spread(
                    task=key[0],
                    kind=key[1],
                    measure=key[2],
                    lowest=low.value or 0.0,
                    lowest_parser=low.parser,
                    highest=high.value or 0.0,
                    highest_parser=high.parser,
                )
            )
    return spreads


def mark(prediction: Prediction, parser: Parser, *, seed: int) -> Verdict:
    """What `parser` makes of the final words, which is what an endpoint hands to the program it comes from."""
    random = generator(seed, "compat", parser.name, prediction.task, prediction.item_id)
    return parser.judge(prediction.final, prediction.gold, random)


def add_compat_results(
    out: Path, predictions: Sequence[Prediction], names: Sequence[str], *, context: EvalContext
) -> int:
    """Append the labelled scores of the parsers called `names` to `results.json`; returns how many there are."""
    rows = [row for row in compare_parsers(predictions, names, seed=context.seed) if row.parser != STRICT]
    tasks = {task.name: task for task in context.tasks}
    added = [_result(row, tasks[row.task], predictions, context=context) for row in rows if row.task in tasks]
    if added:
        path = out / "results.json"
        write_json(path, [*read_json(path), *(result.model_dump(mode="json") for result in added)])
    return len(added)


def _groups(predictions: Sequence[Prediction]) -> dict[tuple[str, str], list[Prediction]]:
    groups: dict[tuple[str, str], list[Prediction]] = {}
    for prediction in predictions:
        if prediction.condition == "image":
            groups.setdefault((prediction.task, prediction.gold.kind), []).append(prediction)
    return groups


def _strict_verdict(prediction: Prediction, measure: str) -> Verdict:
    metric = load_metric(_STRICT_METRICS[measure])
    return Verdict(prediction.parsed, metric.score(prediction.parsed, prediction.gold))


def _row(
    marked: Sequence[_Marked],
    strict: Sequence[_Marked],
    asked: Sequence[Prediction],
    *,
    measure: str,
    parser: Parser | None = None,
) -> ParserScore:
    """`marked` and `strict` are the same answers in the same order."""
    pairs = [
        (each, each.verdict.score, own.verdict.score)
        for each, own in zip(marked, strict, strict=True)
        if each.verdict.score is not None and own.verdict.score is not None
    ]
    clusters = [each.prediction.cluster for each, _, _ in pairs]
    scored = interval([score for _, score, _ in pairs], clusters, bounds=(0.0, 1.0))
    apart = interval([score - own for _, score, own in pairs], clusters, bounds=(-1.0, 1.0))
    all_own = [own.verdict.score for own in strict if own.verdict.score is not None]
    paired = parser is not None and len(pairs) == len(all_own)
    expected = [score if each.verdict.expected is None else each.verdict.expected for each, score, _ in pairs]
    drawn = any(each.verdict.expected is not None for each, _, _ in pairs)
    gained = tuple(each.prediction.item_id for each, score, own in pairs if score > own)
    lost = tuple(each.prediction.item_id for each, score, own in pairs if score < own)
    strict_metric = load_metric(_STRICT_METRICS[measure])
    return ParserScore(
        task=asked[0].task,
        kind=asked[0].gold.kind,
        measure=measure,
        parser=parser.name if parser else STRICT,
        metric=parser.label(measure) if parser else strict_metric.name,
        signature=parser.signature if parser else strict_metric.signature,
        n=len(pairs),
        value=scored.value,
        ci_low=scored.low,
        ci_high=scored.high,
        ci_method=scored.method,
        expected=sum(expected) / len(expected) if drawn else None,
        unparsed=sum(each.verdict.parsed is None for each, _, _ in pairs),
        guessed=sum(each.verdict.guessed for each, _, _ in pairs),
        left_out=len(marked) - len(pairs),
        errors=len(asked) - len(marked),
        difference=scored.value - fmean(all_own) if parser and scored.value is not None else None,
        difference_low=apart.low if paired else None,
        difference_high=apart.high if paired else None,
        gained=len(gained),
        lost=len(lost),
        gained_ids=gained,
        lost_ids=lost,
    )


def _result(row: ParserScore, task: TaskContext, predictions: Sequence[Prediction], *, context: EvalContext) -> Result:
    """The row as a result that says at every turn whose rule it is."""
    own = [p for p in predictions if p.task == row.task and p.condition == "image" and p.gold.kind == row.kind]
    notes = [f"{row.parser}: another program's rule, reproduced; not a score by Osler's rules"]
    if row.guessed:
        averaged = "" if row.expected is None else f"; value with draws averaged: {row.expected:.4f}"
        notes.append(f"{row.guessed} of {row.n} answers guessed{averaged}")
    if row.left_out:
        notes.append(f"{row.left_out} answers left out of n by the rule itself")
    return Result(
        task=task.name,
        task_version=task.version,
        metric=row.metric,
        metric_signature=f"{row.signature}|kind:{row.kind}|seed:{context.seed}",
        value=row.value,
        ci_low=row.ci_low,
        ci_high=row.ci_high,
        ci_method=row.ci_method,
        n=row.n,
        n_clusters=len({p.cluster for p in own if p.status != "error"}),
        unparsed=row.unparsed,
        model=context.model,
        dataset_ids_sha256=sha256_json(sorted(p.item_id for p in own)),
        notes=tuple(notes),
    )
