"""Results: the records of encoders on sets, and of their means over sets, with intervals, counts and notes."""

from collections.abc import Sequence

import numpy as np

from osler.core.files import sha256_json
from osler.schema.result import Interval, Result
from osler.scoring.encoders.measured import Measured, majority_answered
from osler.scoring.encoders.metrics import METRICS, SIGNATURES, absent_classes, label_auroc, weighted_metric
from osler.scoring.encoders.seeds import Drawn, mean_of

UNSEEN = "unseen"
MEAN = "mean"


def encoder_results(ones: Sequence[Measured]) -> list[Result]:
    """Records by set, probe, encoder and metric; after these, each encoder's mean macro-F1 over the sets.

    A task is `SET/PROBE`; where some test items copy what was learned from, or share its group, `SET/PROBE/unseen` is
    the score without them. `mean/PROBE` is there for encoders that were measured on the same two or more sets.
    """
    results: list[Result] = []
    means: dict[tuple[str, str], list[tuple[Measured, Drawn]]] = {}
    for one in ones:
        for metric in METRICS:
            drawn = one.drawn(metric)
            results.append(_result(one, metric, drawn, suffix=""))
            if metric == "macro_f1":
                means.setdefault((one.probe, one.encoder), []).append((one, drawn))
        if rest := one.unflagged():
            results += [_result(rest, metric, rest.drawn(metric), suffix=f"/{UNSEEN}") for metric in METRICS]
    return [*results, *(_mean(pairs) for pairs in means.values() if len(pairs) > 1)]


def _result(one: Measured, metric: str, drawn: Drawn, *, suffix: str) -> Result:
    value, low, high, method = drawn.estimate(confidence=one.scores["confidence"])
    items = {item for each in one.answered for item in each.items}
    groups = {group for each in one.answered for group in each.groups}
    return Result(
        task=f"{one.set_name}/{one.probe}{suffix}",
        task_version=one.protocol_sha256[:12],
        metric=metric,
        metric_signature=f"{SIGNATURES[metric]}|mean-over-seeds:{len(one.seeds)}",
        value=value,
        ci_low=low,
        ci_high=high,
        ci_method=method,
        n=len(items),
        n_clusters=len(groups),
        unparsed=0,
        baseline={"majority": _majority(one, metric)},
        model=one.encoder,
        dataset_ids_sha256=one.ids_sha256,
        protocol_sha256=one.protocol_sha256,
        notes=tuple(_notes(one, metric, drawn)),
    )


def _majority(one: Measured, metric: str) -> Interval:
    """What the most frequent training answer scores, a mean over seeds."""
    values = [
        float(weighted_metric(metric, each, threshold=one.scores["threshold"])(np.ones((1, len(each.items))))[0])
        for each in majority_answered(one)
    ]
    mean = float(np.mean(values))
    return Interval(value=None if np.isnan(mean) else mean)


def _notes(one: Measured, metric: str, drawn: Drawn) -> list[str]:
    shown = ", ".join("not measured" if np.isnan(each) else f"{each:.3f}" for each in drawn.per_seed)
    notes = [f"by seed ({', '.join(map(str, one.seeds))}): {shown}"]
    if metric == "auroc":
        absent = absent_classes(one.answered, one.classes)
        if absent:
            notes.append(f"AUROC is not measured: no test image of {', '.join(absent)} under some seed")
        if one.is_multi_label:
            notes.append(f"AUROC by label: {_by_label(one)}")
    unlearned = sorted({k for fact in one.facts for k in fact.get("classes_not_in_training", ())})
    if unlearned:
        notes.append(f"no training image under some seed: {', '.join(one.classes[k] for k in unlearned)}")
    flagged = {item for each in one.answered for item, flag in zip(each.items, each.flags, strict=True) if flag}
    if flagged:
        notes.append(f"{len(flagged)} test images copy a training image or share its group under some seed")
    return notes


def _by_label(one: Measured) -> str:
    table = np.asarray([label_auroc(each) for each in one.answered])
    words = [
        f"{name} {'not measured' if np.isnan(column).any() else f'{column.mean():.3f}'}"
        for name, column in zip(one.classes, table.T, strict=True)
    ]
    return ", ".join(words)


def _mean(pairs: Sequence[tuple[Measured, Drawn]]) -> Result:
    """Macro-F1 of an encoder as a plain mean over sets."""
    ones, drawn = [one for one, _ in pairs], mean_of([each for _, each in pairs])
    first = ones[0]
    value, low, high, method = drawn.estimate(confidence=first.scores["confidence"])
    names = [one.set_name for one in ones]
    return Result(
        task=f"{MEAN}/{first.probe}",
        task_version=first.protocol_sha256[:12],
        metric="macro_f1",
        metric_signature=f"{SIGNATURES['macro_f1']}|mean-over-seeds:{len(first.seeds)}|mean-over-sets:{len(ones)}",
        value=value,
        ci_low=low,
        ci_high=high,
        ci_method=method,
        n=sum(len({item for each in one.answered for item in each.items}) for one in ones),
        n_clusters=sum(len({group for each in one.answered for group in each.groups}) for one in ones),
        unparsed=0,
        model=first.encoder,
        dataset_ids_sha256=sha256_json(sorted(one.ids_sha256 for one in ones)),
        protocol_sha256=first.protocol_sha256,
        notes=(f"sets: {', '.join(names)}; the interval is for these sets, not for others",),
    )
