"""Robustness: what a probe that was trained on clean images makes of corrupted ones.

With b(c, s) the balanced accuracy under corruption c at severity s, b(0) that on the clean images, and chance
1 / classes (1 / 2 where a picture may have several labels, each of which is then judged by itself):

    mean score under corruption     mPC(c) = mean over s of b(c, s)
    relative robustness             R(c) = (mPC(c) - chance) / (b(0) - chance)

and R over all corruptions (or all of a kind) with the mean over c and s. This is the relative performance under
corruption of Michaelis et al. 2019 (arXiv 1907.07484, section 3.2: rPC = mPC / clean), with chance taken off both, so
that a probe that only guesses under corruption has 0 and not the share that guessing earns. Balanced accuracy is used
because its chance is the same for every guesser, whatever the classes' shares. R has no value where the clean score is
not above chance.

Axes: N images, M cells. A cell is a class, or of several labels the presence or the absence of one: balanced accuracy
is the mean over cells of the share that was found.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from osler.schema.result import Interval
from osler.scoring.bootstrap import sums_bootstrap
from osler.scoring.clusters import Clusters
from osler.scoring.intervals import Estimate
from osler.transfer.measure import Measure

Condition = tuple[str, int]
"""A corruption and its severity; ("", 0) is the clean image."""
CLEAN: Condition = ("", 0)
_SCORE = "balanced_accuracy|of:probe-trained-on-clean|absent-from-gold:left-out|v:1"
_RELATIVE = "relative_robustness|(mPC-chance)/(clean-chance)|score:balanced_accuracy|v:1"


@dataclass(frozen=True, eq=False)
class Judged:
    """Test images under every condition.

    gold: int64 [N], or bool [N, labels]. groups: of the images. probabilities: [N, classes] by condition, CLEAN too.
    """

    gold: np.ndarray
    groups: tuple[str, ...]
    probabilities: Mapping[Condition, np.ndarray]


def measure_robustness(
    judged: Judged, kinds: Mapping[str, str], *, threshold: float = 0.5, seed: int = 0, num_resamples: int = 1000
) -> list[Measure]:
    """Scores of every condition and severity, R of every corruption, of every kind and of all, intervals by group.

    Args:
        judged: what the probe said.
        kinds: of each corruption: `medical` or `common`.
        threshold: from which probability on one of several labels is given.
        seed: of the bootstrap.
        num_resamples: its draws.
    """
    classes = judged.probabilities[CLEAN].shape[1]
    gold_NM = _cells(judged.gold, classes)
    found = {
        condition: gold_NM & _given(table, judged.gold.ndim, threshold)
        for condition, table in judged.probabilities.items()
    }
    chance = 0.5 if judged.gold.ndim == 2 else 1 / classes
    table = _Table(gold_NM, found, judged.groups, chance, seed, num_resamples)
    measures = [table.score(condition) for condition in sorted(found)]
    measures += [table.at(severity) for severity in sorted({severity for _, severity in found if severity})]
    names = sorted({name for name, _ in found if name})
    measures += [table.relative(f"robustness/{name}", [name]) for name in names]
    for kind in sorted(set(kinds.values())):
        if of_kind := [name for name in names if kinds.get(name) == kind]:
            measures.append(table.relative(f"robustness/{kind}", of_kind))
    return [*measures, table.relative("robustness", names)]


def condition_task(condition: Condition) -> str:
    """What results call a condition: `robustness/jpeg/3`."""
    name, severity = condition
    return f"robustness/{name}/{severity}" if name else "robustness/clean"


@dataclass(frozen=True, eq=False)
class _Table:
    gold_NM: np.ndarray
    found: Mapping[Condition, np.ndarray]
    groups: tuple[str, ...]
    chance: float
    seed: int
    num_resamples: int

    def score(self, condition: Condition) -> Measure:
        """Balanced accuracy under one condition."""
        estimate, num_groups = self._estimate([self.found[condition]], self._first)
        task, baseline = condition_task(condition), {"chance": Interval(value=self.chance)}
        return Measure(task, "balanced_accuracy", _SCORE, estimate, len(self.gold_NM), num_groups, baseline)

    def at(self, severity: int) -> Measure:
        """Balanced accuracy at one severity, a mean over the corruptions."""
        mean = np.mean([self.found[c] for c in sorted(self.found) if c[1] == severity], axis=0)
        estimate, num_groups = self._estimate([mean], self._first)
        baseline, signature = {"chance": Interval(value=self.chance)}, f"{_SCORE}|mean-over-corruptions"
        task = f"robustness/severity/{severity}"
        return Measure(task, "balanced_accuracy", signature, estimate, len(self.gold_NM), num_groups, baseline)

    def relative(self, task: str, names: Sequence[str]) -> Measure:
        """R over the conditions of some corruptions; each corruption weighs the same."""
        means = [np.mean([self.found[c] for c in sorted(self.found) if c[0] == name], axis=0) for name in names]
        parts = [self.found[CLEAN], np.mean(means, axis=0)]
        clean, under = (float(self._first(self._sums([part]).sum(axis=0))) for part in parts)
        notes: tuple[str, ...] = (
            f"mean score under corruption {under:.3f}, on clean images {clean:.3f}, chance {self.chance:.3f}",
        )
        if clean <= self.chance:
            notes += ("no value: the score on clean images is not above chance",)
        estimate, num_groups = self._estimate(parts, self._ratio)
        baseline = {"clean": Interval(value=clean), "corrupted": Interval(value=under)}
        return Measure(task, "relative_robustness", _RELATIVE, estimate, len(self.gold_NM), num_groups, baseline, notes)

    def _estimate(self, parts: Sequence[np.ndarray], value: Callable[[np.ndarray], np.ndarray]) -> tuple[Estimate, int]:
        sums = self._sums(parts)
        estimate, _ = sums_bootstrap(sums, value, seed=self.seed, num_resamples=self.num_resamples)
        return estimate, len(sums)

    def _sums(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """[groups, M * (1 + parts)]: how often each cell is gold, and how often it was found."""
        return Clusters(self.groups).sums(np.concatenate([self.gold_NM, *parts], axis=1).astype(float))

    def _first(self, sums: np.ndarray) -> np.ndarray:
        return self._balanced(sums, 1)

    def _ratio(self, sums: np.ndarray) -> np.ndarray:
        clean, under = self._balanced(sums, 1) - self.chance, self._balanced(sums, 2) - self.chance
        return np.where(clean > 0, under / np.where(clean > 0, clean, 1), np.nan)

    def _balanced(self, sums: np.ndarray, part: int) -> np.ndarray:
        """The mean recall of part number `part`, over cells that occur."""
        num_cells = self.gold_NM.shape[1]
        gold, hits = sums[..., :num_cells], sums[..., part * num_cells : (part + 1) * num_cells]
        recall = hits / np.where(gold > 0, gold, 1)
        return recall.sum(axis=-1) / np.maximum((gold > 0).sum(axis=-1), 1)


def _cells(gold: np.ndarray, num_classes: int) -> np.ndarray:
    """Which cell each image belongs to: bool [N, M]."""
    if gold.ndim == 1:
        return np.eye(num_classes, dtype=bool)[gold]
    return np.concatenate([gold, ~gold], axis=1)


def _given(probabilities: np.ndarray, gold_ndim: int, threshold: float) -> np.ndarray:
    if gold_ndim == 1:
        return np.eye(probabilities.shape[1], dtype=bool)[probabilities.argmax(axis=1)]
    given = probabilities >= threshold
    return np.concatenate([given, ~given], axis=1)
