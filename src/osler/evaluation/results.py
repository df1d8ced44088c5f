"""Results: predictions and their context to scores with counts, intervals and baselines. Asks no model."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import OslerError
from osler.core.files import sha256_json, write_json
from osler.core.log import Log
from osler.evaluation.context import EvalContext, TaskContext
from osler.schema.prediction import Condition, Prediction
from osler.schema.result import Interval, Result
from osler.scoring.extract import read_reply
from osler.scoring.report_metrics.extract import Extractors
from osler.scoring.scorer import Extracted, Metric, Pair, load_metric
from osler.scoring.stats import Estimate, cluster_bootstrap, interval

NUM_RESAMPLES = 300
Scored = tuple[str | None, Prediction]
"""What counts as the answer (None where there is none) and the prediction it belongs to."""


def write_results(
    out: Path,
    predictions: Sequence[Prediction],
    *,
    context: EvalContext,
    log: Log,
    extracted: Extracted | None = None,
) -> int:
    """Write `results.json` and `subgroups.json`; returns the number of questions the engine failed on.

    extracted: what metrics of whole reports are made of; without it they are unavailable.

    Raises:
        OslerError: the engine failed on every question.
    """
    extracted = extracted or Extractors({})
    results = make_results(predictions, context, extracted)
    write_json(out / "results.json", [r.model_dump(mode="json") for r in results])
    write_json(out / "subgroups.json", make_subgroups(predictions, context, extracted))
    failed = [prediction for prediction in predictions if prediction.status == "error"]
    if failed and len(failed) == len(predictions):
        raise OslerError(f"no question was answered; the first failed with: {failed[0].error}")
    if failed:
        log.warn(f"{len(failed)} questions were not answered ({failed[0].error}); run again to ask them anew")
    return len(failed)


def read_again(prediction: Prediction) -> Prediction:
    """The prediction with its answer extracted anew by the rules of this version."""
    if prediction.status == "error":
        return prediction
    found = read_reply(prediction.raw, prediction.gold, finished=prediction.status != "truncated")
    return prediction.model_copy(update={"status": found.status, "parsed": found.parsed, "final": found.final})


def make_results(
    predictions: Sequence[Prediction], context: EvalContext, extracted: Extracted | None = None
) -> list[Result]:
    """One record for each metric of each task, in the context's order. A metric that fits no item gives none.

    Where items were checked against the training data, `TASK[clean]` and `TASK[flagged]` follow: the same scores on
    the items that it does not hold, and on those that it holds or may hold.
    """
    extracted = extracted or Extractors({})
    results = []
    for task in context.tasks:
        asked = [prediction for prediction in predictions if prediction.task == task.name]
        for part, own in [(task, asked), *_checked_parts(task, asked)]:
            for name in part.metrics:
                metric = load_metric(name)
                if any(p.gold.kind in metric.kinds for p in own):
                    reason = metric.reason(extracted)
                    metric = metric.bound(extracted, _pairs_to_look_at(part, own))
                    results.append(_result(part, metric, own, context=context, unavailable=reason))
    return results


def make_subgroups(
    predictions: Sequence[Prediction], context: EvalContext, extracted: Extracted | None = None
) -> list[dict[str, Any]]:
    """The same scores by subgroup, for the tasks that declare one; a row holds its own count and interval."""
    extracted = extracted or Extractors({})
    rows = []
    for task in context.tasks:
        groups = {item.item_id: item.subgroup for item in task.items} if task.subgroup else {}
        asked = [p for p in predictions if p.task == task.name and p.condition == "image" and p.item_id in groups]
        for name in task.metrics if groups else ():
            metric = load_metric(name).bound(extracted)
            for group in sorted(set(groups.values())):
                scored = _measured(metric, [(p.parsed, p) for p in asked if groups[p.item_id] == group])
                if scored:
                    value = _interval(metric, scored, context.seed).model_dump()
                    rows.append({"task": task.name, "metric": name, task.subgroup: group, **value})
    return rows


def _checked_parts(task: TaskContext, asked: Sequence[Prediction]) -> list[tuple[TaskContext, list[Prediction]]]:
    verdicts = {item.item_id: item.verdict for item in task.items if item.verdict}
    parts = []
    for name in ("clean", "flagged") if verdicts else ():
        own = [p for p in asked if p.item_id in verdicts and (verdicts[p.item_id] == "clean") is (name == "clean")]
        parts.append((task.model_copy(update={"name": f"{task.name}[{name}]"}), own))
    return parts


def _pairs_to_look_at(task: TaskContext, asked: Sequence[Prediction]) -> list[Pair]:
    """Every answer and every guess that will be scored, so that extractors read them in batches."""
    guesses = {item.item_id: item for item in task.items}
    pairs: list[Pair] = [(p.parsed, p.gold) for p in asked]
    for prediction in _under("image", asked) if guesses else ():
        guess = guesses[prediction.item_id]
        pairs += [(guess.majority, prediction.gold), (guess.question_prior, prediction.gold)]
    return pairs


def _result(
    task: TaskContext, metric: Metric, asked: Sequence[Prediction], *, context: EvalContext, unavailable: str = ""
) -> Result:
    own = _under("image", asked)
    measured = _measured(metric, [(p.parsed, p) for p in own])
    score = _interval(metric, measured, context.seed)
    return Result(
        task=task.name,
        task_version=task.version,
        metric=metric.name,
        metric_signature=metric.signature,
        value=score.value,
        ci_low=score.ci_low,
        ci_high=score.ci_high,
        ci_method=score.ci_method,
        n=score.n or 0,
        n_clusters=score.n_clusters or 0,
        unparsed=score.unparsed or 0,
        baseline=_baselines(task, metric, asked, context.seed),
        model=context.model,
        dataset_ids_sha256=sha256_json(sorted(p.item_id for p in own)),
        notes=(*task.notes, *_status_notes(asked), *_metric_notes(metric, own, score, unavailable)),
    )


def _metric_notes(metric: Metric, own: Sequence[Prediction], score: Interval, unavailable: str) -> list[str]:
    """Why a metric was not measured, on how many items it was not, and what it says beside its value."""
    if unavailable:
        return [f"unavailable: {unavailable}"]
    notes = []
    fitting = sum(p.status != "error" and p.gold.kind in metric.kinds for p in own)
    if metric.needs and score.n is not None and score.n < fitting:
        notes.append(f"{fitting - score.n} of {fitting} items could not be measured, left out of n")
    if metric.remark is not None and score.value is not None:
        known = score.ci_low is not None and score.ci_high is not None
        remark = metric.remark(score.value, (score.ci_low, score.ci_high) if known else None)  # type: ignore[arg-type]
        notes.append(remark)
    return notes


def _baselines(task: TaskContext, metric: Metric, asked: Sequence[Prediction], seed: int) -> dict[str, Interval]:
    """Where the context has guesses, majority and question_prior; blind and shuffled where they were asked."""
    own = _under("image", asked)
    guesses = {item.item_id: item for item in task.items}
    candidates: dict[str, list[Scored]] = {}
    if guesses:
        candidates["majority"] = [(guesses[p.item_id].majority, p) for p in own]
        candidates["question_prior"] = [(guesses[p.item_id].question_prior, p) for p in own]
    candidates["blind"] = [(p.parsed, p) for p in _under("blind", asked)]
    candidates["shuffled"] = [(p.parsed, p) for p in _under("shuffled", asked)]
    return {name: _interval(metric, _measured(metric, scored), seed) for name, scored in candidates.items() if scored}


def _interval(metric: Metric, scored: Sequence[Scored], seed: int) -> Interval:
    pairs: list[Pair] = [(parsed, prediction.gold) for parsed, prediction in scored]
    clusters = [prediction.cluster for _, prediction in scored]
    estimate = _estimate(metric, pairs, clusters, seed)
    return Interval(
        value=estimate.value,
        ci_low=estimate.low,
        ci_high=estimate.high,
        ci_method=estimate.method,
        n=len(scored),
        n_clusters=len(set(clusters)),
        unparsed=sum(parsed is None for parsed, _ in scored),
    )


def _estimate(metric: Metric, pairs: Sequence[Pair], clusters: Sequence[str], seed: int) -> Estimate:
    if (metric.corpus is None and metric.of_sums is None) or not pairs:
        scores = [metric.score(*pair) for pair in pairs]
        return interval([score for score in scores if score is not None], clusters, bounds=metric.range)
    bounds = cluster_bootstrap(
        _statistic(metric, pairs),
        clusters,
        seed=seed,
        num_resamples=NUM_RESAMPLES,
    )
    low, high = bounds or (None, None)
    method = f"cluster-bootstrap|percentile|{NUM_RESAMPLES}" if bounds else "none: one cluster"
    return Estimate(metric.aggregate(pairs), low, high, method)


def _statistic(metric: Metric, pairs: Sequence[Pair]) -> Callable[[np.ndarray], float | None]:
    """The value over item positions; by sums of rows where the metric is a function of sums."""
    of_sums = metric.of_sums
    if metric.sums is None or of_sums is None:
        return lambda positions: metric.aggregate([pairs[p] for p in positions])
    parts = [metric.sums(*pair) for pair in pairs]
    names = list(dict.fromkeys(name for part in parts for name in part))
    rows = np.asarray([[part.get(name, 0.0) for name in names] for part in parts], dtype=np.float64)
    return lambda positions: of_sums(dict(zip(names, rows[positions].sum(axis=0).tolist(), strict=True)))


def _measured(metric: Metric, scored: Sequence[Scored]) -> list[Scored]:
    """Those that the metric can measure and that were answered: an error of the engine is no wrong answer."""
    return [
        (parsed, prediction)
        for parsed, prediction in scored
        if prediction.status != "error" and metric.score(parsed, prediction.gold) is not None
    ]


def _under(condition: Condition, asked: Sequence[Prediction]) -> list[Prediction]:
    return [prediction for prediction in asked if prediction.condition == condition]


def _status_notes(asked: Sequence[Prediction]) -> list[str]:
    """How many answers were refused, cut or not given, by condition; nothing where all is well."""
    notes = []
    for condition in ("image", "blind", "shuffled"):
        statuses = [p.status for p in asked if p.condition == condition]
        for status in ("refused", "truncated", "error"):
            if count := statuses.count(status):
                left_out = ", left out of n" if status == "error" else ", counted as unparsed"
                notes.append(f"{condition}: {count} of {len(statuses)} answers {status}{left_out}")
    return notes
