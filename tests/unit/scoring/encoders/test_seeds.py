import numpy as np
import pytest

from osler.scoring.encoders.metrics import weighted_metric
from osler.scoring.encoders.seeds import SeedDraws, mean_of
from transfer_world import answered


def one(share: float, seed: int, n: int = 400):
    random = np.random.default_rng(seed)
    gold = np.random.default_rng(99).integers(2, size=n)
    right = random.random(n) < share
    given = np.where(right, gold, 1 - gold)
    return answered(gold, np.eye(2)[given])


def draws_of(runs, groups=None):
    held = SeedDraws([groups or each.groups for each in runs], name="s", seed=0, num_resamples=400)
    return held.draw([weighted_metric("macro_f1", each, threshold=0.5) for each in runs])


def test_the_value_is_the_mean_over_seeds_and_the_interval_covers_it():
    drawn = draws_of([one(0.8, seed) for seed in range(5)])
    value, low, high, method = drawn.estimate(confidence=0.95)
    assert value == pytest.approx(drawn.per_seed.mean()) and low < value < high
    assert method == "groups-and-seeds-bootstrap|percentile|400"


def test_groups_widen_the_interval_and_seeds_do_too():
    same = [one(0.8, 1)] * 5
    alone, grouped = draws_of(same), draws_of(same, groups=[f"g{n // 40}" for n in range(400)])
    assert grouped.draws.std() > 0 and alone.draws.std() > 0
    differing = draws_of([one(0.7 + 0.05 * seed, seed) for seed in range(5)])
    assert differing.draws.std() > alone.draws.std()


def test_a_difference_is_drawn_pair_by_pair():
    first, second = [one(0.9, seed) for seed in range(5)], [one(0.7, seed) for seed in range(5)]
    held = SeedDraws([each.groups for each in first], name="s", seed=0, num_resamples=400)
    a, b = (held.draw([weighted_metric("macro_f1", each, threshold=0.5) for each in runs]) for runs in (first, second))
    difference = a.minus(b)
    assert difference.value == pytest.approx(a.value - b.value)
    assert difference.estimate(confidence=0.95).low > 0 and difference.two_sided_p() < 0.02
    assert a.minus(a).two_sided_p() == 1.0
    assert mean_of([a, b]).value == pytest.approx((a.value + b.value) / 2)


def test_what_has_no_value_is_not_measured():
    empty = answered([0, 0], [[1.0, 0.0], [0.5, 0.5]])
    held = SeedDraws([empty.groups], name="s", seed=0, num_resamples=50)
    drawn = held.draw([weighted_metric("auroc", empty, threshold=0.5)])
    assert drawn.estimate(confidence=0.95) == (None, None, None, "not measured") and drawn.two_sided_p() is None
