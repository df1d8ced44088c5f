"""Results: predictions and their context to scores with counts, intervals and baselines. Asks no model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from osler.core.errors import OslerError
from osler.core.files import sha256_json, write_json
from osler.core.log import Log
from osler.evaluation.context import EvalContext, TaskContext
from osler.evaluation.option_orders import order_rows
from osler.schema.prediction import Condition, Prediction
from osler.schema.result import Difference, Interval, Result
from osler.scoring.bootstrap import cluster_bootstrap, sums_bootstrap
from osler.scoring.clusters import Clusters
from osler.scoring.extract import read_reply
from osler.scoring.intervals import Estimate, interval
from osler.scoring.paired import SLOW_RESAMPLES, compare_answers, compare_scores, compare_sums, holm
from osler.scoring.report_metrics.extract import Extractors
from osler.scoring.scorer import Extracted, Metric, Pair, load_metric
from osler.scoring.sums import Statistic, tabulate

Answered = tuple[str | None, Prediction]
"""What counts as the answer, and the prediction it belongs to."""


class Scored(NamedTuple):
    """What counts as the answer (None where there is none), the prediction it belongs to, and its score.

    Of a corpus metric `score` says nothing; where it states sums, `row` is what the answer adds to them.
    """

    parsed: str | None
    prediction: Prediction
    score: float
    row: np.ndarray | None = None

    @property
    def pair(self) -> Pair:
        """What a metric reads."""
        return (self.parsed, self.prediction.gold)


class Measured(NamedTuple):
    """Sets of scored answers by name; for a metric that states sums, what turns summed rows into its value."""

    scored: dict[str, list[Scored]]
    value: Statistic | None = None


def write_results(
    out: Path,
    predictions: Sequence[Prediction],
    *,
    context: EvalContext,
    log: Log,
    extracted: Extracted | None = None,
) -> int:
    """Write `results.json`, `subgroups.json` and, where options were turned, `option_orders.json`.

    Returns the number of questions that the engine failed on.

    extracted: what metrics of whole reports are made of; without it they are unavailable.

    Raises:
        OslerError: the engine failed on every question.
    """
    extracted = extracted or Extractors({})
    results = make_results(predictions, context, extracted)
    write_json(out / "results.json", [r.model_dump(mode="json") for r in results])
    write_json(out / "subgroups.json", make_subgroups(predictions, context, extracted))
    orders = order_rows(predictions, context)
    if orders:
        write_json(out / "option_orders.json", orders)
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
    if found == (prediction.status, prediction.parsed, prediction.final):
        return prediction
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
        for part, own in [(task, asked), *checked_parts(task, asked)]:
            results += _results(part, own, seed=context.seed, model=context.model, extracted=extracted)
    return results


def _results(
    task: TaskContext, asked: Sequence[Prediction], *, seed: int, model: str, extracted: Extracted
) -> list[Result]:
    candidates = _candidates(task, asked)
    looked_at = [(parsed, p.gold) for answers in candidates.values() for parsed, p in answers]
    results = []
    for name in task.metrics:
        metric = load_metric(name)
        if any(p.gold.kind in metric.kinds for p in asked):
            reason = metric.reason(extracted)
            metric = metric.bound(extracted, looked_at)
            results.append(_result(task, metric, asked, candidates, seed=seed, model=model, unavailable=reason))
    return results


def make_subgroups(
    predictions: Sequence[Prediction], context: EvalContext, extracted: Extracted | None = None
) -> list[dict[str, Any]]:
    """The same scores by subset: a row is one value of one column, with its own count and interval.

    Columns are the task's own subgroup, what `ItemContext.subsets` holds, and the verdict of a check against the
    training data.
    """
    extracted = extracted or Extractors({})
    rows = []
    for task in context.tasks:
        asked = [p for p in predictions if p.task == task.name and p.condition == "image"]
        columns = _columns(task)
        for name in task.metrics if columns else ():
            metric = load_metric(name).bound(extracted)
            measured = score_answers(metric, {"image": own_answers(asked)})
            for column, groups in columns.items():
                for group in sorted(set(groups.values())):
                    scored = [each for each in measured.scored["image"] if groups.get(each.prediction.item_id) == group]
                    if scored:
                        value = _interval(metric, scored, measured.value, context.seed).model_dump(exclude={"paired"})
                        rows.append({"task": task.name, "metric": name, column: group, **value})
    return rows


def _columns(task: TaskContext) -> dict[str, dict[str, str]]:
    """By column, each item's value; a column that has one value only tells nothing and is left out."""
    columns: dict[str, dict[str, str]] = {}
    for item in task.items:
        verdict = {"verdict": item.verdict} if item.verdict else {}
        for column, group in (item.subsets | verdict).items():
            columns.setdefault(column, {})[item.item_id] = group
    columns = {column: groups for column, groups in columns.items() if len(set(groups.values())) > 1}
    if task.subgroup:
        columns[task.subgroup] = {item.item_id: item.subgroup for item in task.items}
    return columns


def checked_parts(task: TaskContext, asked: Sequence[Prediction]) -> list[tuple[TaskContext, list[Prediction]]]:
    """The task twice, on the items that the training data does not hold and on the others; nothing without verdicts."""
    verdicts = {item.item_id: item.verdict for item in task.items if item.verdict}
    parts = []
    for name in ("clean", "flagged") if verdicts else ():
        own = [p for p in asked if p.item_id in verdicts and (verdicts[p.item_id] == "clean") is (name == "clean")]
        parts.append((task.model_copy(update={"name": f"{task.name}[{name}]"}), own))
    return parts


def _result(
    task: TaskContext,
    metric: Metric,
    asked: Sequence[Prediction],
    candidates: Mapping[str, Sequence[Answered]],
    *,
    seed: int,
    model: str,
    unavailable: str,
) -> Result:
    own = _under("image", asked)
    measured = score_answers(metric, candidates)
    score = _interval(metric, measured.scored["image"], measured.value, seed)
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
        baseline=_baselines(metric, measured, seed),
        model=model,
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


def _candidates(task: TaskContext, asked: Sequence[Prediction]) -> dict[str, list[Answered]]:
    """The run itself as `image`; where the context has guesses, majority and question_prior; what else was asked."""
    own = _under("image", asked)
    guesses = {item.item_id: item for item in task.items}
    candidates = {"image": own_answers(own)}
    if guesses:
        candidates["majority"] = [(guesses[p.item_id].majority, p) for p in own]
        candidates["question_prior"] = [(guesses[p.item_id].question_prior, p) for p in own]
    candidates["blind"] = own_answers(_under("blind", asked))
    candidates["shuffled"] = own_answers(_under("shuffled", asked))
    return {name: answers for name, answers in candidates.items() if answers or name == "image"}


def _baselines(metric: Metric, measured: Measured, seed: int) -> dict[str, Interval]:
    """Each baseline beside the run itself on the items that both answered; Holm's family is the row's baselines."""
    own, value = measured.scored["image"], measured.value
    others = {name: scored for name, scored in measured.scored.items() if name != "image"}
    differences = {name: difference(metric, own, other, value=value, seed=seed) for name, other in others.items()}
    adjusted = holm([found.p for found in differences.values()])
    return {
        name: _interval(metric, others[name], value, seed).model_copy(
            update={"paired": found.model_copy(update={"p_holm": p_holm})}
        )
        for (name, found), p_holm in zip(differences.items(), adjusted, strict=True)
    }


def score_answers(metric: Metric, answers: Mapping[str, Sequence[Answered]]) -> Measured:
    """Several sets of answers with their scores, and with rows of sums that share their columns.

    Those are left out that the metric cannot measure or that the engine failed on.
    """
    scored = {name: _measured(metric, each) for name, each in answers.items()}
    if metric.of_sums is None or not any(scored.values()):
        return Measured(scored)
    table, value = tabulate(metric, [each.pair for found in scored.values() for each in found])
    rows = iter(table)
    return Measured({name: [each._replace(row=next(rows)) for each in found] for name, found in scored.items()}, value)


def own_answers(predictions: Sequence[Prediction]) -> list[Answered]:
    """Each prediction with what was parsed of it."""
    return [(prediction.parsed, prediction) for prediction in predictions]


def difference(
    metric: Metric, first: Sequence[Scored], second: Sequence[Scored], *, value: Statistic | None, seed: int
) -> Difference:
    """The first answers' value minus the second's, on the items that are in both. `value` is of what measured them."""
    others = {scored.prediction.item_id: scored for scored in second}
    common = [scored for scored in first if scored.prediction.item_id in others]
    partners = [others[scored.prediction.item_id] for scored in common]
    clusters = [scored.prediction.cluster for scored in common]
    if value is not None and common:
        return compare_sums(_rows(common), _rows(partners), clusters, value=value, seed=seed)
    if metric.corpus is None:
        a, b = [scored.score for scored in common], [scored.score for scored in partners]
        return compare_scores(a, b, clusters, bounds=metric.range, seed=seed)
    return compare_answers(metric, [s.pair for s in common], [s.pair for s in partners], clusters=clusters, seed=seed)


def _interval(metric: Metric, scored: Sequence[Scored], value: Statistic | None, seed: int) -> Interval:
    clusters = [each.prediction.cluster for each in scored]
    estimate = _estimate(metric, scored, clusters, value=value, seed=seed)
    return Interval(
        value=estimate.value,
        ci_low=estimate.low,
        ci_high=estimate.high,
        ci_method=estimate.method,
        n=len(scored),
        n_clusters=len(set(clusters)),
        unparsed=sum(each.parsed is None for each in scored),
    )


def _estimate(
    metric: Metric, scored: Sequence[Scored], clusters: Sequence[str], *, value: Statistic | None, seed: int
) -> Estimate:
    """Of a mean the clustered interval; of a corpus metric the cluster bootstrap, over sums where it states them."""
    if value is not None and scored:
        return sums_bootstrap(Clusters(clusters).sums(_rows(scored)), value, seed=seed)[0]
    if metric.corpus is None or not scored:
        return interval([each.score for each in scored], clusters, bounds=metric.range)
    pairs = [each.pair for each in scored]
    return cluster_bootstrap(
        lambda positions: metric.aggregate([pairs[p] for p in positions]),
        clusters,
        seed=seed,
        num_resamples=SLOW_RESAMPLES,
    )[0]


def _rows(scored: Sequence[Scored]) -> np.ndarray:
    return np.stack([each.row for each in scored if each.row is not None])


def _measured(metric: Metric, answers: Sequence[Answered]) -> list[Scored]:
    """Those that the metric can measure and that were answered: an error of the engine is no wrong answer."""
    is_mean = metric.corpus is None and metric.of_sums is None
    measured = []
    for parsed, prediction in answers:
        if prediction.status == "error" or prediction.gold.kind not in metric.kinds:
            continue
        score = metric.score(parsed, prediction.gold) if is_mean or metric.needs else 0.0
        if score is not None:
            measured.append(Scored(parsed, prediction, score))
    return measured


def _under(condition: Condition, asked: Sequence[Prediction]) -> list[Prediction]:
    return [prediction for prediction in asked if prediction.condition == condition]


def _status_notes(asked: Sequence[Prediction]) -> list[str]:
    """How many answers were refused, cut or not given, by condition; nothing where all is well."""
    notes = []
    for condition in dict.fromkeys(p.condition for p in asked):
        statuses = [p.status for p in asked if p.condition == condition]
        for status in ("refused", "truncated", "error"):
            if count := statuses.count(status):
                left_out = ", left out of n" if status == "error" else ", counted as unparsed"
                notes.append(f"{condition}: {count} of {len(statuses)} answers {status}{left_out}")
    return notes
