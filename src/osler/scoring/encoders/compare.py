"""Encoders against each other on the same items under the same protocol: each set, all sets together, and ranks.

On one set, and on the mean over sets, two tests ask whether the difference is more than chance would give on other
groups of such images:
    macro-F1    groups change places between the two encoders, under every seed at once (a permutation test)
    AUROC       the share of draws over groups and seeds on the far side of 0 (a bootstrap test)
Intervals are drawn over groups and seeds either way. Wilcoxon's test takes the sets as the sample, see `ranks`.
Holm's correction is over all sets and pairs of a probe, and over all pairs for the means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.schema.result import Difference
from osler.scoring.clusters import Clusters
from osler.scoring.encoders.measured import Measured, comparable, measured
from osler.scoring.encoders.metrics import count_table, f1_value, indicators
from osler.scoring.encoders.ranks import Ranking, rank_encoders, wilcoxon
from osler.scoring.encoders.runs import Run, protocols
from osler.scoring.encoders.seeds import Drawn, mean_of
from osler.scoring.paired import holm, minimum_detectable

_BLOCK = 1 << 22
MEAN = "mean"


@dataclass(frozen=True)
class PairOnSet:
    """`difference` is the first encoder minus the second on a set, or on the mean over sets ("mean").

    wilcoxon_p: of the mean: over sets, adjusted by Holm over the pairs.
    """

    probe: str
    set_name: str
    metric: str
    first: str
    second: str
    difference: Difference
    wilcoxon_p: float | None = None
    wilcoxon_test: str = ""


@dataclass(frozen=True)
class ProbeComparison:
    """All that one probe tells of the encoders. sets: those that every encoder was measured on.

    left_out: encoders or sets that could not be compared, and why.
    """

    probe: str
    sets: tuple[str, ...]
    encoders: tuple[str, ...]
    pairs: tuple[PairOnSet, ...]
    ranking: Ranking | None
    left_out: tuple[str, ...]


def compare_encoders(runs: Sequence[Run]) -> list[ProbeComparison]:
    """A comparison for each probe, in the order of the runs.

    Raises:
        InputError: the runs were measured under different protocols.
    """
    refuse_mixed(runs)
    by_probe: dict[str, list[Measured]] = {}
    for one in measured(runs):
        by_probe.setdefault(one.probe, []).append(one)
    return [_of_probe(probe, ones) for probe, ones in by_probe.items()]


def refuse_mixed(runs: Sequence[Run]) -> None:
    """Raise InputError where runs were measured under more than one protocol."""
    hashes = protocols(runs)
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
    left_out: list[str] = []
    sets = []
    for name, found in by_set.items():
        missing = [encoder for encoder in encoders if encoder not in found]
        if missing:
            left_out.append(f"set {name}: {', '.join(missing)} not measured on it")
        elif not comparable(list(found.values())):
            left_out.append(f"set {name}: the encoders were measured on different images")
        else:
            sets.append(name)
    drawn = {
        name: {encoder: by_set[name][encoder].drawn(by_set[name][encoder].metric) for encoder in encoders}
        for name in sets
    }
    unmeasured = [name for name in sets if any(np.isnan(each.value) for each in drawn[name].values())]
    left_out += [f"set {name}: {by_set[name][encoders[0]].metric} is not measured" for name in unmeasured]
    sets = [name for name in sets if name not in unmeasured]
    pairs: list[PairOnSet] = []
    means: list[PairOnSet] = []
    for first, second in combinations(encoders, 2):
        own, mean = _pair(probe, [by_set[name] for name in sets], drawn, first, second)
        pairs += own
        means += mean
    scores = np.asarray([[drawn[name][encoder].value for encoder in encoders] for name in sets])
    ranking = rank_encoders(encoders, scores) if len(sets) and len(encoders) > 1 else None
    return ProbeComparison(
        probe, tuple(sets), encoders, (*_adjusted(pairs), *_adjusted(means)), ranking, tuple(left_out)
    )


def _pair(
    probe: str,
    sets: Sequence[dict[str, Measured]],
    drawn: dict[str, dict[str, Drawn]],
    first: str,
    second: str,
) -> tuple[list[PairOnSet], list[PairOnSet]]:
    """The difference on each set; and on the mean over sets, where there are several."""
    pairs: list[PairOnSet] = []
    differences: list[Drawn] = []
    nulls: list[np.ndarray | None] = []
    for each in sets:
        one, other = each[first], each[second]
        difference = drawn[one.set_name][first].minus(drawn[one.set_name][second])
        null = _swapped(one, other) if one.metric == "macro_f1" else None
        differences.append(difference)
        nulls.append(null)
        pairs.append(PairOnSet(probe, one.set_name, one.metric, first, second, _difference([one], difference, null)))
    if len(sets) < 2:
        return pairs, []
    whole = (
        None if any(null is None for null in nulls) else np.mean([null for null in nulls if null is not None], axis=0)
    )
    ones = [each[first] for each in sets]
    p, test = wilcoxon([each.value for each in differences])
    metrics = "/".join(dict.fromkeys(one.metric for one in ones))
    total = _difference(ones, mean_of(differences), whole)
    return pairs, [PairOnSet(probe, MEAN, metrics, first, second, total, wilcoxon_p=p, wilcoxon_test=test)]


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
        PairOnSet(
            **{
                **vars(pair),
                "difference": pair.difference.model_copy(update={"p_holm": p}),
                "wilcoxon_p": rank_p,
            }
        )
        for pair, p, rank_p in zip(pairs, own, ranks, strict=True)
    ]
