"""Encoders against each other on the same items under the same protocol: each set, all sets together, and ranks.

On one set, and on the mean over sets, two tests ask whether the difference is more than chance would give on other
groups of such images:
    macro-F1    groups change places between the two encoders, under every seed at once (a permutation test)
    AUROC       the share of draws over groups and seeds on the far side of 0 (a bootstrap test)
Intervals are drawn over groups and seeds either way. Wilcoxon's test takes the sets as the sample, see `ranks`.
Holm's correction is over all sets and pairs of a probe, and over all pairs for the means.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.schema.encoders import PairOnSet, ProbeComparison
from osler.schema.result import Difference
from osler.scoring.clusters import Clusters
from osler.scoring.encoders.measured import Measured, comparable
from osler.scoring.encoders.metrics import count_table, f1_value, indicators
from osler.scoring.encoders.ranks import rank_encoders, wilcoxon
from osler.scoring.encoders.seeds import Drawn, mean_of
from osler.scoring.paired import holm, minimum_detectable

_BLOCK = 1 << 22
MEAN = "mean"


def compare_encoders(ones: Sequence[Measured]) -> list[ProbeComparison]:
    """A comparison for each probe, in the order in which they come; of a section, for each of its settings.

    Raises:
        InputError: they were measured under different protocols.
    """
    refuse_mixed(ones)
    by_probe: dict[tuple[str, str], list[Measured]] = {}
    for one in ones:
        by_probe.setdefault((one.probe, one.protocol_sha256), []).append(one)
    return [_of_probe(probe, own) for (probe, _), own in by_probe.items()]


def refuse_mixed(ones: Sequence[Measured]) -> None:
    """Raise InputError where encoders were measured under more than one protocol."""
    hashes = list(dict.fromkeys(one.base_sha256 for one in ones))
    if len(hashes) > 1:
        raise InputError(
            "scores of different protocols are not ranked together",
            expected="one protocol hash",
            got=", ".join(digest[:12] for digest in hashes),
            fix="Measure all encoders with the same section `protocol`, or report each protocol by itself.",
        )


def _of_probe(probe: str, ones: list[Measured]) -> ProbeComparison:
    by_set: dict[str, dict[str, Measured]] = {}
    for one in ones:
        by_set.setdefault(one.set_name, {})[one.encoder] = one
    encoders = tuple(dict.fromkeys(one.encoder for one in ones))
    left_out = {name: why for name, found in by_set.items() if (why := _why_not(found, encoders))}
    sets = [found for name, found in by_set.items() if name not in left_out]
    pairs: list[PairOnSet] = []
    means: list[PairOnSet] = []
    for first, second in combinations(encoders, 2):
        own, mean = _pair(probe, sets, first, second)
        pairs += own
        means += mean
    scores = np.asarray([[found[name].drawn(found[name].metric).value for name in encoders] for found in sets])
    return ProbeComparison(
        probe=probe,
        protocol_sha256=ones[0].protocol_sha256,
        sets=tuple(name for name in by_set if name not in left_out),
        encoders=encoders,
        pairs=(*_adjusted(pairs), *_adjusted(means)),
        ranking=rank_encoders(encoders, scores) if sets and len(encoders) > 1 else None,
        left_out=tuple(f"set {name}: {why}" for name, why in left_out.items()),
    )


def _why_not(found: dict[str, Measured], encoders: Sequence[str]) -> str:
    """Why the encoders cannot be compared on a set; "" where they can."""
    if missing := [encoder for encoder in encoders if encoder not in found]:
        return f"{', '.join(missing)} not measured on it"
    if not comparable(list(found.values())):
        return "the encoders were measured on different images"
    metric = found[encoders[0]].metric
    if any(np.isnan(one.drawn(metric).value) for one in found.values()):
        return f"{metric} is not measured"
    return ""


def _pair(
    probe: str, sets: Sequence[dict[str, Measured]], first: str, second: str
) -> tuple[list[PairOnSet], list[PairOnSet]]:
    """The difference on each set; and on the mean over sets, where there are several."""
    pairs: list[PairOnSet] = []
    differences: list[Drawn] = []
    nulls: list[np.ndarray | None] = []
    for each in sets:
        one, other = each[first], each[second]
        difference = one.drawn(one.metric).minus(other.drawn(other.metric))
        null = _swapped(one, other) if one.metric == "macro_f1" else None
        differences.append(difference)
        nulls.append(null)
        pairs.append(_record(probe, one.set_name, one.metric, (first, second), _difference([one], difference, null)))
    if len(sets) < 2:
        return pairs, []
    whole = (
        None if any(null is None for null in nulls) else np.mean([null for null in nulls if null is not None], axis=0)
    )
    ones = [each[first] for each in sets]
    p, test = wilcoxon([each.value for each in differences])
    metrics = "/".join(dict.fromkeys(one.metric for one in ones))
    total = _difference(ones, mean_of(differences), whole)
    mean = _record(probe, MEAN, metrics, (first, second), total)
    return pairs, [mean.model_copy(update={"wilcoxon_p": p, "wilcoxon_test": test})]


def _record(probe: str, set_name: str, metric: str, pair: tuple[str, str], difference: Difference) -> PairOnSet:
    return PairOnSet(
        probe=probe, set_name=set_name, metric=metric, first=pair[0], second=pair[1], difference=difference
    )


def _difference(ones: Sequence[Measured], drawn: Drawn, null: np.ndarray | None) -> Difference:
    """The record of a difference; `null` are differences under permuted groups."""
    value, low, high, method = drawn.estimate(confidence=ones[0].scores["confidence"])
    if null is None:
        p, test = drawn.two_sided_p(), f"groups-and-seeds-bootstrap|{len(drawn.draws)}"
    else:
        far = int((np.abs(null) >= abs(drawn.value) * (1 - 1e-9) - 1e-12).sum())
        p, test = (far + 1) / (len(null) + 1), f"groups-swapped|drawn|{len(null)}"
    finite = drawn.draws[np.isfinite(drawn.draws)]
    return Difference(
        value=value,
        ci_low=low,
        ci_high=high,
        ci_method=method,
        n=sum(len({item for each in one.answered for item in each.items}) for one in ones),
        n_clusters=sum(len({group for each in one.answered for group in each.groups}) for one in ones),
        test=test,
        p=p,
        mde=minimum_detectable(float(finite.std(ddof=1))) if len(finite) > 1 else None,
    )


def _swapped(one: Measured, other: Measured) -> np.ndarray:
    """Differences in macro-F1, a mean over seeds, after each group's answers changed places by the toss of a coin."""
    grouped = Clusters([group for each in one.answered for group in each.groups])
    threshold = one.scores["threshold"]
    totals, changes = [], []
    start = 0
    num_columns = 3 * len(one.classes)
    for a, b in zip(one.answered, other.answered, strict=True):
        codes = grouped.codes[start : start + len(a.items)]
        start += len(a.items)
        tables = [count_table(*indicators(each, threshold=threshold)) for each in (a, b)]
        moved = np.zeros((grouped.count, num_columns))
        np.add.at(moved, codes, tables[1] - tables[0])
        changes.append(moved)
        totals.append(np.stack([table.sum(axis=0) for table in tables]))
    change = np.concatenate(changes, axis=1)
    moving = change[(change != 0).any(axis=1)]
    first, second = np.concatenate(totals, axis=1)
    num = one.scores["num_permutations"]
    random = generator(one.scores["seed"], "groups_swapped", one.set_name, num)
    found = []
    rows = max(1, _BLOCK // max(1, len(moving)))
    for begin in range(0, num, rows):
        coins = random.integers(2, size=(min(rows, num - begin), len(moving)), dtype=np.int8)
        shift = coins.astype(float) @ moving
        found.append(_mean_f1(first + shift, num_columns) - _mean_f1(second - shift, num_columns))
    return np.concatenate(found)


def _mean_f1(sums: np.ndarray, num_columns: int) -> np.ndarray:
    values: np.ndarray = f1_value(sums.reshape(len(sums), -1, num_columns)).mean(axis=-1)
    return values


def _adjusted(pairs: Sequence[PairOnSet]) -> list[PairOnSet]:
    """The pairs with Holm's p over them all."""
    own = holm([pair.difference.p for pair in pairs])
    ranks = holm([pair.wilcoxon_p for pair in pairs])
    return [
        pair.model_copy(
            update={"difference": pair.difference.model_copy(update={"p_holm": p}), "wilcoxon_p": rank_p},
        )
        for pair, p, rank_p in zip(pairs, own, ranks, strict=True)
    ]
