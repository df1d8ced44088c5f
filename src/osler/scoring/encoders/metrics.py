"""Metrics of class probabilities under weights of the items, so that a bootstrap draw is a row of weights.

macro_f1           the plain mean of the F1 of all declared classes; 0 for one that is neither true nor given
balanced_accuracy  the mean recall over the classes that some item has
auroc              one class against the rest, the plain mean; not measured where a class has no item, or only items
Of a multi-label set a label is given from a threshold on. All equal scikit-learn's f1_score(labels=all, macro,
zero_division=0), balanced_accuracy_score and roc_auc_score(ovr, macro).

Axes: R draws, N items, K classes.
"""

from collections.abc import Callable, Sequence

import numpy as np

from osler.scoring.encoders.runs import Answered

METRICS = ("macro_f1", "balanced_accuracy", "auroc")
SIGNATURES = {
    "macro_f1": "macro_f1|labels:all-declared|absent:zero",
    "balanced_accuracy": "balanced_accuracy|absent:left-out",
    "auroc": "auroc|one-vs-rest|agg:macro|absent:not-measured",
}
NOT_DEFINED = float("nan")
_BLOCK = 1 << 22

Weighted = Callable[[np.ndarray], np.ndarray]
"""From weights [R, N] to values [R]; nan where there is none."""


def headline(is_multi_label: bool) -> str:
    """The metric that a set is ranked by."""
    return "auroc" if is_multi_label else "macro_f1"


def weighted_metric(metric: str, answered: Answered, *, threshold: float) -> Weighted:
    """A metric of one run as a function of the items' weights."""
    truth_NK, given_NK = indicators(answered, threshold=threshold)
    if metric == "auroc":
        is_binary = answered.gold.ndim == 1 and truth_NK.shape[1] == 2
        return _auroc(truth_NK, np.asarray(answered.probabilities, np.float64), is_binary)
    value = f1_value if metric == "macro_f1" else recall_value
    table = count_table(truth_NK, given_NK)
    return lambda weights_RN: value(weights_RN @ table)


def measured(metric: str, answered: Answered, *, threshold: float) -> float:
    """The value over all items, each once."""
    return float(weighted_metric(metric, answered, threshold=threshold)(np.ones((1, len(answered.items))))[0])


def label_auroc(answered: Answered) -> list[float]:
    """The AUROC of each class against the rest; nan where it is not defined."""
    truth_NK = truth_table(answered)
    ones = np.ones((1, len(truth_NK)))
    return [
        float(_binary_auroc(truth_NK[:, k], answered.probabilities[:, k].astype(np.float64))(ones)[0])
        for k in range(truth_NK.shape[1])
    ]


def truth_table(answered: Answered) -> np.ndarray:
    """Bool [N, K]: which classes each item has."""
    if answered.gold.ndim == 2:
        return answered.gold.astype(bool)
    return np.asarray(answered.gold[:, None] == np.arange(answered.probabilities.shape[1]))


def indicators(answered: Answered, *, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Which classes each item has, and which the run says it has: bool [N, K] each."""
    truth_NK = truth_table(answered)
    if answered.gold.ndim == 2:
        return truth_NK, answered.probabilities >= threshold
    best = answered.probabilities.argmax(axis=1) if len(truth_NK) else np.zeros(0, np.int64)
    return truth_NK, np.asarray(best[:, None] == np.arange(truth_NK.shape[1]))


def count_table(truth_NK: np.ndarray, given_NK: np.ndarray) -> np.ndarray:
    """What each item adds to the counts of true, given and both, class by class: float [N, 3 K]."""
    return np.concatenate([truth_NK, given_NK, truth_NK & given_NK], axis=1).astype(float)


def f1_value(sums: np.ndarray) -> np.ndarray:
    """Macro-F1 of counts [..., 3 K]."""
    true, given, both = np.split(sums, 3, axis=-1)
    total = true + given
    return np.asarray((2 * both / np.where(total > 0, total, 1)).mean(axis=-1))


def recall_value(sums: np.ndarray) -> np.ndarray:
    """Balanced accuracy of counts [..., 3 K]; nan where no class has an item."""
    true, _, both = np.split(sums, 3, axis=-1)
    num_present = (true > 0).sum(axis=-1)
    recall = both / np.where(true > 0, true, 1)
    return np.where(num_present > 0, recall.sum(axis=-1) / np.maximum(num_present, 1), NOT_DEFINED)


def absent_classes(answered: Sequence[Answered], classes: Sequence[str]) -> list[str]:
    """Classes that no test item of at least one of the runs has."""
    tables = [truth_table(each) for each in answered]
    return [name for k, name in enumerate(classes) if any(not table[:, k].any() for table in tables)]


def _auroc(truth_NK: np.ndarray, scores_NK: np.ndarray, is_binary: bool) -> Weighted:
    """The mean over classes; of two exclusive classes the one curve that both have."""
    each = [_binary_auroc(truth_NK[:, k], scores_NK[:, k]) for k in ((1,) if is_binary else range(truth_NK.shape[1]))]
    return lambda weights_RN: np.mean([one(weights_RN) for one in each], axis=0)


def _binary_auroc(truth_N: np.ndarray, scores_N: np.ndarray) -> Weighted:
    """The chance that an item of the class scores above one that is not of it, ties counting one half."""
    order = np.argsort(scores_N, kind="stable")
    truth, scores = truth_N[order], scores_N[order]
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]]) if len(scores) else np.zeros(0, np.int64)

    def value(weights_RN: np.ndarray) -> np.ndarray:
        if not len(starts):
            return np.full(len(weights_RN), NOT_DEFINED)
        rows = max(1, _BLOCK // len(order))
        return np.concatenate([_of(weights_RN[n : n + rows]) for n in range(0, len(weights_RN), rows)])

    def _of(weights_RN: np.ndarray) -> np.ndarray:
        sorted_RN = weights_RN[:, order]
        positive = np.add.reduceat(sorted_RN * truth, starts, axis=1)
        negative = np.add.reduceat(sorted_RN * ~truth, starts, axis=1)
        below = np.cumsum(negative, axis=1) - negative / 2
        pairs = positive.sum(axis=1) * negative.sum(axis=1)
        wins = (positive * below).sum(axis=1)
        return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1), NOT_DEFINED)

    return value
