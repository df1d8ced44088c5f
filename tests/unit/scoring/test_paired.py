"""Paired comparisons against published vectors, statsmodels, scipy and exact enumeration."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.schema.sample import closed, open_answer
from osler.scoring import paired
from osler.scoring.permutation import sign_flip, swap
from osler.scoring.scorer import Metric, load_metric
from osler.scoring.sums import tabulate

V = json.loads((Path(__file__).parents[2] / "golden" / "metric_vectors.json").read_text())["stats"]
A, B, CLUSTER = V["a"], V["b"], V["cluster"]
UNIT = (0.0, 1.0)


def test_published_vector():
    near = pytest.approx
    assert paired.paired_se(A, B) == near(V["se_paired"], abs=1e-12)
    assert paired.paired_clustered_se(A, B, CLUSTER, form="CR0") == near(V["clustered_se_diff"]["CR0"], abs=1e-12)
    assert paired.paired_clustered_se(A, B, CLUSTER) == near(V["clustered_se_diff"]["CR1"], abs=1e-12)
    assert paired.mcnemar_exact(A, B) == near(V["mcnemar_exact_p"], abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_mcnemar_and_holm_equal_statsmodels(seed):
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    multiple = pytest.importorskip("statsmodels.stats.multitest")
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 2, size=(2, 80)).astype(float)
    table = [[((a == x) & (b == y)).sum() for y in (1, 0)] for x in (1, 0)]
    assert paired.mcnemar_exact(a, b) == pytest.approx(tables.mcnemar(table, exact=True).pvalue, abs=1e-9)
    ps = random.random(7) ** 3
    assert paired.holm(ps.tolist()) == pytest.approx(multiple.multipletests(ps, method="holm")[1], abs=1e-9)


def test_mcnemar_of_many_items_keeps_its_digits():
    stats = pytest.importorskip("scipy.stats")
    a, b = [1.0] * 5200 + [0.0] * 5000, [0.0] * 5200 + [1.0] * 5000
    assert paired.mcnemar_exact(a, b) == pytest.approx(stats.binomtest(5000, 10200).pvalue, rel=1e-9)
    assert paired.mcnemar_exact(A, A) == 1.0


def test_holm_leaves_out_what_was_not_tested():
    assert paired.holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert paired.holm([]) == [] and paired.holm([0.9, 0.8]) == [1.0, 1.0]


def enumerated(sums):
    """The share of all sign assignments at least as far from 0 as what was seen."""
    seen = abs(math.fsum(sums)) - 1e-12
    far = [abs(sum(s * d for s, d in zip(signs, sums, strict=True))) >= seen
           for signs in itertools.product((1, -1), repeat=len(sums))]  # fmt: skip
    return sum(far) / len(far)


@pytest.mark.parametrize("seed", range(6))
def test_sign_flip_equals_enumeration(seed):
    random = np.random.default_rng(seed)
    for sums in (random.normal(0.4, 1, size=9), random.integers(-2, 4, size=9).astype(float)):
        assert sign_flip(sums, seed=0).p == pytest.approx(enumerated(sums), abs=1e-9)


def test_sign_flip_equals_scipy_and_is_exact_up_to_twenty_clusters():
    stats = pytest.importorskip("scipy.stats")
    sums = np.random.default_rng(5).normal(0.3, 1, size=12)
    peer = stats.permutation_test((sums,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(sums, seed=0).p == pytest.approx(peer.pvalue, abs=1e-9)
    twenty = sign_flip(np.ones(20), seed=0)
    assert twenty == (2 / 2**20, f"exact|{2**20}")
    assert sign_flip(np.ones(21), seed=0) == (1 / 10_000, "drawn|9999")
    assert sign_flip(np.zeros(30), seed=0) == (1.0, "no cluster differs")


def test_drawn_flips_are_near_the_exact_p_and_seeded():
    sums = np.repeat([1.0, -1.0], [21, 11])
    exact = min(1.0, 2 * sum(math.comb(32, k) for k in range(12)) / 2**32)
    drawn = sign_flip(sums, seed=1)
    assert drawn.p == pytest.approx(exact, abs=0.012) and drawn == sign_flip(sums, seed=1)
    assert drawn != sign_flip(sums, seed=2)


def test_of_single_items_sign_flip_is_mcnemar():
    assert sign_flip(np.subtract(A, B), seed=0).p == pytest.approx(paired.mcnemar_exact(A, B), abs=1e-12)


def test_swap_of_a_quotient_equals_enumeration():
    random = np.random.default_rng(2)
    a, b = random.integers(1, 9, size=(2, 8, 2)).astype(float)

    def value(sums):
        return sums[..., 0] / sums[..., 1]

    seen = abs(value(a.sum(0)) - value(b.sum(0))) - 1e-12
    far = []
    for picks in itertools.product((True, False), repeat=8):
        pick = np.asarray(picks)[:, None]
        far.append(abs(value(np.where(pick, a, b).sum(0)) - value(np.where(pick, b, a).sum(0))) >= seen)
    assert swap(a, b, value, seed=0).p == pytest.approx(np.mean(far), abs=1e-9)


def test_the_test_fits_the_items():
    alone = paired.compare_scores(A, B, range(20), bounds=UNIT)
    assert (alone.test, alone.p, alone.notes) == ("mcnemar|exact", pytest.approx(V["mcnemar_exact_p"]), ())
    grouped = paired.compare_scores(A, B, CLUSTER, bounds=UNIT)
    sums = [sum(x - y for x, y, c in zip(A, B, CLUSTER, strict=True) if c == k) for k in range(8)]
    assert grouped.test.startswith("cluster-sign-flip|exact|") and grouped.p == pytest.approx(enumerated(sums))
    assert "not valid here: up to 3 items share a cluster" in grouped.notes[0]
    partial = paired.compare_scores([0.5, 0.2, 0.9], [0.1, 0.2, 0.3], range(3), bounds=UNIT)
    assert partial.test == "cluster-sign-flip|exact|4" and partial.notes == ()


def test_interval_and_mde_of_a_difference():
    stats = pytest.importorskip("scipy.stats")
    found = paired.compare_scores(A, B, CLUSTER, bounds=UNIT)
    se = V["clustered_se_diff"]["CR1"]
    half = stats.t.ppf(0.975, 7) * se
    assert (found.value, found.ci_low, found.ci_high) == pytest.approx((0.2, 0.2 - half, 0.2 + half), abs=1e-9)
    assert found.mde == pytest.approx((stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * se, abs=1e-9)
    assert (found.n, found.n_clusters) == (20, 8)
    assert paired.minimum_detectable(0.5 / math.sqrt(416)) == pytest.approx(0.0687, abs=1e-4)
    assert paired.minimum_detectable(None) is None


def test_mde_has_the_power_it_names():
    power = pytest.importorskip("statsmodels.stats.power")
    delta = paired.minimum_detectable(1 / math.sqrt(300))
    assert power.NormalIndPower(ddof=0).power(delta, 300, 0.05, ratio=0) == pytest.approx(0.8, abs=1e-5)


def test_equal_answers_leave_room_for_what_was_not_seen():
    same = paired.compare_scores(A, A, CLUSTER, bounds=UNIT)
    assert (same.value, same.p, same.mde) == (0.0, 1.0, None)
    assert same.ci_high == pytest.approx(-same.ci_low) and 0.3 < same.ci_high < 0.4
    assert same.ci_method == "wilson|0-of-C-clusters-differ"
    apart = paired.compare_scores([1.0] * 9, [0.0] * 9, range(9), bounds=UNIT)
    assert apart.value == apart.ci_high == 1.0 and 0 < apart.ci_low < 1


def test_nothing_and_one_cluster_are_not_measured():
    assert paired.compare_scores([], [], [], bounds=UNIT).value is None
    one = paired.compare_scores([1.0, 0.0], [0.0, 0.0], ["p", "p"], bounds=UNIT)
    assert (one.value, one.ci_low, one.p) == (0.5, None, None)


GOLD = [open_answer(f"finding {n} of the left lung") for n in range(12)]
GOOD = [(f"finding {n} of the left lung" if n % 4 else "lung", gold) for n, gold in enumerate(GOLD)]
POOR = [(f"finding {n}" if n % 3 else None, gold) for n, gold in enumerate(GOLD)]


def test_corpus_metrics_are_compared_as_wholes():
    metric = load_metric("bleu1/coco-corpus")
    found = paired.compare_answers(metric, GOOD, POOR, clusters=[n // 2 for n in range(12)], seed=0)
    assert found.value == pytest.approx(metric.aggregate(GOOD) - metric.aggregate(POOR), abs=1e-12)
    assert found.ci_low < found.value < found.ci_high and found.mde > 0
    assert found.test == "cluster-swap|exact|64" and found.p == pytest.approx(2 / 64)


def test_a_corpus_metric_without_sums_has_an_interval_and_says_that_it_has_no_test():
    share = Metric("share", "share|v:1", UNIT, "", ("open",), lambda p, a: float(p is not None),
                   corpus=lambda pairs: sum(p is not None for p, _ in pairs) / len(pairs))  # fmt: skip
    found = paired.compare_answers(share, GOOD, POOR, clusters=range(12), seed=0)
    assert found.value == pytest.approx(4 / 12) and found.ci_low <= found.value <= found.ci_high
    assert (found.p, found.test) == (None, "none: the metric states no sums")


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="same items"):
        paired.mcnemar_exact([1], [1, 0])
    with pytest.raises(InputError, match="same items"):
        paired.compare_answers(load_metric("bleu1/coco-corpus"), GOOD, POOR[1:], clusters=range(12), seed=0)
    with pytest.raises(InputError, match="same clusters"):
        swap(np.ones((2, 1)), np.ones((3, 1)), lambda s: s[..., 0], seed=0)


def test_macro_f1_is_compared_and_equals_enumeration():
    metric = load_metric("macro_f1")
    gold = [closed("yes" if n % 3 else "no") for n in range(10)]
    first = [(answer.text if n % 4 else "no", answer) for n, answer in enumerate(gold)]
    second = [("yes", answer) for answer in gold]
    found = paired.compare_answers(metric, first, second, clusters=[n // 2 for n in range(10)], seed=0)
    assert found.value == pytest.approx(metric.aggregate(first) - metric.aggregate(second), abs=1e-12)
    far = []
    for picks in itertools.product((True, False), repeat=5):
        pairs = [(x, y) if picks[n // 2] else (y, x) for n, (x, y) in enumerate(zip(first, second, strict=True))]
        one, other = zip(*pairs, strict=True)
        far.append(abs(metric.aggregate(one) - metric.aggregate(other)) >= abs(found.value) - 1e-12)
    assert found.p == pytest.approx(np.mean(far), abs=1e-9)
    with pytest.raises(InputError, match="states no sums"):
        tabulate(load_metric("exact_match"), first)
