"""`osler score` with `method: rubric`: PKR of kept answers, judged through endpoints, and how judges agree."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from osler.core.catalog import TASKS
from osler.core.config import Config
from osler.core.errors import InputError, OslerError
from osler.core.files import atomic_write, existing_file, existing_folder, sha256_json, write_json
from osler.core.log import Log
from osler.core.outcome import Outcome
from osler.endpoint.served import EndpointConfig, asked_lines, begin_asking
from osler.evaluation.context import read_context
from osler.evaluation.item_scores import ItemScore, write_item_scores
from osler.evaluation.judging.answers import question_text, real_answers, stored_samples
from osler.evaluation.judging.labels import Key, agreements, read_labels
from osler.schema.prediction import Prediction
from osler.schema.result import Result
from osler.scoring.bootstrap import mean_bootstrap
from osler.scoring.judge.prompts import check_pinned, prompt_hashes
from osler.scoring.judge.rubric import PROMPTS, Judged, Trace, judge_traces, trace_text
from osler.scoring.pkr import AXES, SIGNATURE, TraceScore, UnitVerdict, trace_score
from osler.store.shards import Store

METRIC = "pkr"
METRICS = (METRIC, *(f"{METRIC}/{axis}" for axis in AXES))


class RubricConfig(Config):
    """A recipe of `osler score` with `method: rubric`.

    predictions: what `osler eval` wrote. data: the folders it was asked from; their samples hold the units.
    judges: models behind endpoints by name; the first one scores, the others tell how judges agree.
    labels: files of verdicts by people (`docs/how-to/judge-reasoning.md`). tasks: only these; () takes every task whose
    items have units. prompt_sha256: of the instructions; another value than this version's is refused.
    """

    method: Literal["rubric"]
    predictions: Path
    data: tuple[Path, ...] = Field(min_length=1)
    judges: dict[str, EndpointConfig] = Field(min_length=1)
    labels: tuple[Path, ...] = ()
    tasks: tuple[str, ...] = ()
    model_name: str = ""
    prompt_sha256: dict[str, str] = Field(default_factory=lambda: prompt_hashes(PROMPTS))
    seed: int = 0

    @field_validator("judges")
    @classmethod
    def _are_folders(cls, judges: dict[str, EndpointConfig]) -> dict[str, EndpointConfig]:
        wrong = [name for name in judges if not name.replace("-", "").replace("_", "").isalnum()]
        if wrong:
            raise ValueError(f"a judge's name is of letters, digits, - and _; got {wrong[0]!r}")
        return judges


@dataclass(frozen=True)
class _Item:
    """One answer with its trace, ready to be judged."""

    prediction: Prediction
    trace: Trace


def check(config: RubricConfig) -> RubricConfig:
    """The recipe, its instructions pinned and its tasks known."""
    check_pinned(config.prompt_sha256, PROMPTS)
    for name in config.tasks:
        TASKS.load(name)
    return config


def inputs(config: RubricConfig) -> list[Path]:
    """The answers, the data and the labels of people."""
    return [
        existing_file(config.predictions),
        *map(existing_folder, config.data),
        *map(existing_file, config.labels),
    ]


def run(config: RubricConfig, out: Path, log: Log) -> Outcome:
    """Judge every unit of every answer, score, and say how judges agree.

    Raises:
        PausedError: an endpoint gave no answer or a budget is spent; the same command goes on.
        OslerError: a judge gave no readable verdict at all. What it said is counted in `judges.json`.
    """
    items, failed = _items(config)
    judged: dict[str, dict[str, list[Judged]]] = {}
    traces = [item.trace for item in items]
    for name, endpoint in config.judges.items():
        kept = out / ".cache" / name
        begin_asking(kept)
        log.info(f"judge {name}: {sum(len(trace.units) for trace in traces)} units of {len(traces)} answers")
        judged[name] = judge_traces(traces, endpoint=endpoint.plain(), kept=kept, name=name)
        for line in asked_lines(kept):
            log.info(line)
    scores = {name: _scores(found) for name, found in judged.items()}
    clusters = {item.trace.id: item.prediction.cluster for item in items}
    _write_verdicts(out, judged)
    write_json(out / "judges.json", [_judge_row(n, config.judges[n].model, judged[n], scores[n]) for n in judged])
    rated = {name: _verdicts(found) for name, found in judged.items()}
    people = read_labels(config.labels, set(next(iter(rated.values()))))
    write_json(out / "agreement.json", agreements({**rated, **people}, clusters, seed=config.seed))
    first = next(iter(judged))
    results = _results(config, items, scores[first], failed)
    write_json(out / "results.json", [result.model_dump(mode="json") for result in results])
    write_item_scores(out, _item_scores(items, scores[first]))
    unread = _refuse_silence(judged, log)
    counts = {"answers": len(items), "failed_answers": sum(failed.values()), "unread_verdicts": unread}
    whole = ", ".join(f"{r.task} {r.value:.4f}" for r in results if r.metric == METRIC and r.value is not None)
    return Outcome(f"PKR by {first}: {whole or 'not measured'}", seeds={"score": config.seed}, counts=counts)


def _items(config: RubricConfig) -> tuple[list[_Item], Counter[str]]:
    """The answers to judge, and by task how many were left out because the engine had failed."""
    answers = real_answers(config.predictions, tasks=config.tasks)
    stored = stored_samples([p.item_id for p in answers], [Store(folder) for folder in config.data])
    judgeable = [p for p in answers if stored[p.item_id].sample.rubric]
    if not judgeable:
        raise InputError(
            "no answered item has units to judge by",
            expected="samples with a rubric, such as those of open_med_reason/test",
            got=f"{len(answers)} answers to items without one",
        )
    failed = Counter(p.task for p in judgeable if p.status == "error")
    items = [
        _Item(p, Trace(f"{p.task}~{p.item_id}", question_text(sample), trace_text(p.raw), sample.rubric))
        for p in judgeable
        if p.status != "error"
        for sample in [stored[p.item_id].sample]
    ]
    return items, failed


def _scores(found: Mapping[str, Sequence[Judged]]) -> dict[str, TraceScore]:
    return {id: trace_score([each.verdict for each in judged]) for id, judged in found.items()}


def _verdicts(found: Mapping[str, Sequence[Judged]]) -> dict[Key, UnitVerdict]:
    return {
        (id, each.verdict.axis, each.verdict.unit_id): each.verdict for id, judged in found.items() for each in judged
    }


def _results(
    config: RubricConfig, items: Sequence[_Item], scores: Mapping[str, TraceScore], failed: Counter[str]
) -> list[Result]:
    context = read_context(config.predictions.parent)
    versions = {task.name: task.version for task in context.tasks} if context else {}
    model = config.model_name or (context.model if context else "unknown")
    judge = next(iter(config.judges.values()))
    pinned = sha256_json([judge.model, config.prompt_sha256])[:12]
    results = []
    for task in dict.fromkeys(item.prediction.task for item in items):
        own = [item for item in items if item.prediction.task == task]
        notes = _notes(own, scores, failed[task])
        for metric in METRICS:
            measured = [
                (value, item.prediction.cluster)
                for item in own
                if (value := _value(scores[item.trace.id], metric)) is not None
            ]
            found = mean_bootstrap([value for value, _ in measured], [each for _, each in measured], seed=config.seed)
            results.append(
                Result(
                    task=task,
                    task_version=versions.get(task, TASKS.load(task).version),
                    metric=metric,
                    metric_signature=f"{SIGNATURE}|judge:{judge.model}|prompts:{pinned}",
                    value=found.value,
                    ci_low=found.low,
                    ci_high=found.high,
                    ci_method=found.method,
                    n=len(measured),
                    n_clusters=len({cluster for _, cluster in measured}),
                    unparsed=0,
                    model=model,
                    dataset_ids_sha256=sha256_json(sorted(item.prediction.item_id for item in own)),
                    notes=tuple(notes),
                )
            )
    return results


def _item_scores(items: Sequence[_Item], scores: Mapping[str, TraceScore]) -> list[ItemScore]:
    return [
        ItemScore(
            task=item.prediction.task,
            item_id=item.prediction.item_id,
            cluster=item.prediction.cluster,
            values={metric: _value(scores[item.trace.id], metric) for metric in METRICS},
        )
        for item in items
    ]


def _value(score: TraceScore, metric: str) -> float | None:
    if metric == METRIC:
        return score.value
    axis = {str(name): each for name, each in score.axes.items()}.get(metric.removeprefix(f"{METRIC}/"))
    return axis.score if axis else None


def _notes(own: Sequence[_Item], scores: Mapping[str, TraceScore], num_failed: int) -> list[str]:
    found = [scores[item.trace.id] for item in own]
    notes = []
    num_unread, num_units = sum(score.num_unread for score in found), sum(score.num_units for score in found)
    if num_unread:
        low, high = (float(np.mean([getattr(s, end) for s in found])) for end in ("low", "high"))
        notes.append(
            f"{num_unread} of {num_units} units have no readable verdict and are left out; whatever they were, PKR of "
            f"all judged answers lies between {low:.4f} and {high:.4f}"
        )
    without = sum(score.value is None for score in found)
    if without:
        notes.append(f"{without} of {len(found)} answers have an axis without any readable verdict: left out of n")
    short = sum(len({unit.axis for unit in item.trace.units}) < len(AXES) for item in own)
    if short:
        notes.append(f"{short} of {len(own)} references have no unit on some axis; PKR is the mean of their other axes")
    silent = sum(not item.trace.text.strip() for item in own)
    if silent:
        notes.append(f"{silent} of {len(own)} answers have no words: presence 0 of all their units, without asking")
    if num_failed:
        notes.append(f"{num_failed} questions had no answer because the engine failed: left out of n")
    return notes


def _judge_row(
    name: str, model: str, judged: Mapping[str, Sequence[Judged]], scores: Mapping[str, TraceScore]
) -> dict[str, Any]:
    values = [score.value for score in scores.values() if score.value is not None]
    problems = Counter(_kind(each.problem) for found in judged.values() for each in found if each.problem)
    return {
        "judge": name,
        "model": model,
        "value": float(np.mean(values)) if values else None,
        "low": float(np.mean([score.low for score in scores.values()])) if scores else None,
        "high": float(np.mean([score.high for score in scores.values()])) if scores else None,
        "n": len(values),
        "num_answers": len(scores),
        "num_units": sum(score.num_units for score in scores.values()),
        "num_unread": sum(score.num_unread for score in scores.values()),
        "problems": dict(sorted(problems.items())),
    }


def _kind(problem: str) -> str:
    """`presence: no readable answer`: the question, and the kind of what went wrong with it."""
    return ":".join(problem.split(":")[:2])


def _write_verdicts(out: Path, judged: Mapping[str, Mapping[str, Sequence[Judged]]]) -> None:
    with atomic_write(out / "verdicts.jsonl", "w") as file:
        for name, found in judged.items():
            for id, each in ((id, each) for id, own in found.items() for each in own):
                task, _, item_id = id.partition("~")
                row = {"rater": name, "task": task, "item_id": item_id, **asdict(each.verdict)}
                file.write(f"{json.dumps(row | {'reason': each.reason, 'problem': each.problem})}\n")


def _refuse_silence(judged: Mapping[str, Mapping[str, Sequence[Judged]]], log: Log) -> int:
    """How many verdicts were unread. Raises OslerError where a judge that was asked gave none that could be read."""
    total = 0
    for name, found in judged.items():
        verdicts = [each for own in found.values() for each in own]
        unread = [each for each in verdicts if each.problem]
        total += len(unread)
        if unread and len(unread) == len(verdicts):
            raise OslerError(
                f"judge {name} gave no readable verdict on any of {len(unread)} units; the first: {unread[0].problem}. "
                "See verdicts.jsonl; use a model that follows a JSON schema, or raise max_answer_tokens"
            )
        if unread:
            log.warn(f"judge {name}: {len(unread)} of {len(verdicts)} units have no readable verdict")
    return total
