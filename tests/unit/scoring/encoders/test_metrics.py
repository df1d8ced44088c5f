import warnings

import numpy as np
import pytest
from sklearn import metrics as peer

from osler.scoring.encoders.metrics import label_auroc, measured, weighted_metric
from transfer_world import answered


def drawn(seed: int, *, classes: int = 4, n: int = 120):
    random = np.random.default_rng(seed)
    gold = random.integers(classes, size=n)
    scores = random.random((n, classes)).round(1) + np.eye(classes)[gold] * 0.3  # rounded, so that there are ties
    return gold, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_single_label_metrics_are_those_of_scikit_learn(seed):
    gold, table = drawn(seed)
    one = answered(gold, table)
    given = one.probabilities.argmax(axis=1)
    assert measured("macro_f1", one, threshold=0.5) == pytest.approx(peer.f1_score(gold, given, average="macro"))
    assert measured("balanced_accuracy", one, threshold=0.5) == pytest.approx(peer.balanced_accuracy_score(gold, given))
    expected = peer.roc_auc_score(gold, one.probabilities, multi_class="ovr", average="macro")
    assert measured("auroc", one, threshold=0.5) == pytest.approx(expected, abs=1e-12)


def test_two_classes_have_one_curve():
    gold, table = drawn(1, classes=2)
    one = answered(gold, table)
    assert measured("auroc", one, threshold=0.5) == pytest.approx(peer.roc_auc_score(gold, one.probabilities[:, 1]))


def test_multi_label_metrics_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    gold = random.random((80, 5)) < 0.4
    one = answered(gold, np.clip(random.random((80, 5)) + 0.2 * gold, 0, 1))
    expected = peer.roc_auc_score(gold, one.probabilities, average=None)
    assert label_auroc(one) == pytest.approx(list(expected))
    assert measured("auroc", one, threshold=0.5) == pytest.approx(expected.mean())
    given = one.probabilities >= 0.5
    assert measured("macro_f1", one, threshold=0.5) == pytest.approx(peer.f1_score(gold, given, average="macro"))


def test_weights_count_items_as_often_as_they_say():
    gold, table = drawn(3)
    one = answered(gold, table)
    rows = np.random.default_rng(0).integers(len(gold), size=len(gold))
    weights = np.bincount(rows, minlength=len(gold))[None].astype(float)
    repeated = answered(gold[rows], one.probabilities[rows])
    for metric in ("macro_f1", "balanced_accuracy", "auroc"):
        value = weighted_metric(metric, one, threshold=0.5)(weights)[0]
        assert value == pytest.approx(measured(metric, repeated, threshold=0.5)), metric


def test_a_declared_class_that_nobody_has_counts_0_in_f1_and_leaves_auroc_unmeasured():
    gold, table = drawn(2, classes=4)
    gold = gold % 3  # class 3 is declared and absent
    one = answered(gold, table)
    given = one.probabilities.argmax(axis=1)
    expected = peer.f1_score(gold, given, labels=range(4), average="macro", zero_division=0)
    assert measured("macro_f1", one, threshold=0.5) == pytest.approx(expected)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the absent class, and leaves it out as we do
        expected = peer.balanced_accuracy_score(gold, given)
    assert measured("balanced_accuracy", one, threshold=0.5) == pytest.approx(expected)
    assert np.isnan(measured("auroc", one, threshold=0.5))
