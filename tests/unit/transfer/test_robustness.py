import numpy as np
import pytest

from osler.transfer.robustness import CLEAN, Judged, measure_robustness

GOLD = np.array([0, 0, 1, 1])
GROUPS = ("a", "b", "c", "d")


def says(*classes, count=2):
    return np.eye(count)[list(classes)]


def table(judged, kinds=None, **options):
    found = measure_robustness(judged, kinds or {"jpeg": "common", "haze": "medical"}, **options)
    return {(m.task, m.metric): m for m in found}


JUDGED = Judged(
    GOLD,
    GROUPS,
    {
        CLEAN: says(0, 0, 1, 1),
        ("jpeg", 1): says(0, 0, 1, 0),  # recalls 1 and 1/2: .75
        ("jpeg", 2): says(0, 0, 0, 0),  # 1 and 0: .5
        ("haze", 1): says(1, 1, 1, 1),  # .5
        ("haze", 2): says(1, 1, 1, 0),  # 0 and 1/2: .25
    },
)


def test_scores_and_relative_robustness_by_hand():
    found = table(JUDGED)
    value = {key: m.estimate.value for key, m in found.items()}
    assert value["robustness/clean", "balanced_accuracy"] == 1
    assert value["robustness/jpeg/1", "balanced_accuracy"] == 0.75
    assert value["robustness/haze/2", "balanced_accuracy"] == 0.25
    assert value["robustness/severity/1", "balanced_accuracy"] == pytest.approx((0.75 + 0.5) / 2)
    assert value["robustness/severity/2", "balanced_accuracy"] == pytest.approx((0.5 + 0.25) / 2)
    # jpeg: mean (.75 + .5) / 2 = .625, above chance .125, of .5
    assert value["robustness/jpeg", "relative_robustness"] == pytest.approx(0.25)
    # haze: mean .375, below chance
    assert value["robustness/haze", "relative_robustness"] == pytest.approx(-0.25)
    assert value["robustness", "relative_robustness"] == pytest.approx(0)
    assert value["robustness/medical", "relative_robustness"] == pytest.approx(-0.25)
    assert value["robustness/common", "relative_robustness"] == pytest.approx(0.25)
    whole = found["robustness", "relative_robustness"]
    assert {name: each.value for name, each in whole.baseline.items()} == {"clean": 1.0, "corrupted": 0.5}
    assert whole.notes[0] == "mean score under corruption 0.500, on clean images 1.000, chance 0.500"
    assert found["robustness/jpeg/1", "balanced_accuracy"].baseline["chance"].value == 0.5


def test_each_corruption_weighs_the_same_however_many_severities_it_has():
    right, one_class = says(0, 0, 1, 1), says(0, 0, 0, 0)
    haze = {("haze", severity): one_class for severity in (1, 3, 5)}
    judged = Judged(GOLD, GROUPS, {CLEAN: right, ("jpeg", 1): right, **haze})
    assert table(judged)["robustness", "relative_robustness"].estimate.value == pytest.approx(0.5)


def test_a_probe_that_guesses_on_clean_images_has_no_relative_robustness():
    judged = Judged(GOLD, GROUPS, {CLEAN: says(0, 0, 0, 0), ("jpeg", 1): says(0, 0, 1, 1)})
    found = table(judged)["robustness", "relative_robustness"]
    assert found.estimate.value is None
    assert found.estimate.low is None
    assert found.notes[-1] == "no value: the score on clean images is not above chance"


def test_of_several_labels_presence_and_absence_weigh_the_same():
    """Label 0: found 1 of 1, absent 1 of 2; label 1: found 0 of 1, absent 2 of 2: (1 + .5 + 0 + 1) / 4."""
    gold = np.array([[True, False], [False, True], [False, False]])
    said = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.3]])
    judged = Judged(gold, ("a", "b", "c"), {CLEAN: said, ("jpeg", 1): gold.astype(float)})
    found = table(judged)
    assert found["robustness/clean", "balanced_accuracy"].estimate.value == pytest.approx(0.625)
    assert found["robustness/jpeg/1", "balanced_accuracy"].estimate.value == 1
    assert found["robustness", "relative_robustness"].estimate.value == pytest.approx(4)


def test_a_class_without_a_test_image_is_left_out():
    judged = Judged(GOLD, GROUPS, {CLEAN: says(0, 0, 1, 2, count=3), ("jpeg", 1): says(0, 2, 2, 2, count=3)})
    found = table(judged)
    assert found["robustness/clean", "balanced_accuracy"].estimate.value == pytest.approx(0.75)
    assert found["robustness/jpeg", "relative_robustness"].estimate.value == pytest.approx(
        (0.25 - 1 / 3) / (0.75 - 1 / 3)
    )


def test_intervals_draw_whole_groups_and_hold_the_value():
    random = np.random.default_rng(0)
    gold = random.integers(0, 3, 120)
    clean = np.where(random.random(120) < 0.85, gold, random.integers(0, 3, 120))
    worse = np.where(random.random(120) < 0.6, gold, random.integers(0, 3, 120))
    groups = tuple(f"g{n // 3}" for n in range(120))
    judged = Judged(gold, groups, {CLEAN: says(*clean, count=3), ("jpeg", 1): says(*worse, count=3)})
    found = table(judged)["robustness", "relative_robustness"]
    assert found.n_clusters == 40
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert 0.3 < found.estimate.value < 0.95
    again = table(judged)["robustness", "relative_robustness"]
    assert again.estimate == found.estimate
