from collections import Counter

import pytest

from osler.synth.phantom.patient import (
    LARGE_CTR,
    NORMAL_CTR,
    PRESENCE,
    make_patient,
    num_visits,
    patient_id,
)
from osler.synth.phantom.truth import CTR_THRESHOLD, FINDINGS


def test_a_patient_is_a_pure_function_of_seed_and_number():
    assert make_patient(1, 7) == make_patient(1, 7)
    assert make_patient(1, 7) != make_patient(2, 7)
    assert make_patient(1, 7).anatomy != make_patient(1, 8).anatomy


def test_the_number_of_visits_is_known_without_making_the_patient(patients):
    assert all(num_visits(3, p.number) == len(p.visits) for p in patients)
    assert set(Counter(len(p.visits) for p in patients)) == {1, 2, 3}


def test_the_identifier_says_nothing_but_the_number():
    assert patient_id(123) == "p000123"
    assert make_patient(0, 123).id == "p000123"


@pytest.mark.parametrize("kind", FINDINGS)
@pytest.mark.parametrize("first", [True, False])
def test_each_finding_is_as_frequent_in_first_as_in_later_films(histories, kind, first):
    films = [study for history in histories for study in (history[:1] if first else history[1:])]
    share = sum(study.has(kind) for study in films) / len(films)
    assert share == pytest.approx(PRESENCE, abs=0.085)
    assert 0.35 <= PRESENCE <= 0.5


def test_hearts_keep_away_from_the_threshold(patients):
    assert NORMAL_CTR[1] < CTR_THRESHOLD - 0.02 and LARGE_CTR[0] > CTR_THRESHOLD + 0.02
    ratios = [visit.ctr for p in patients for visit in p.visits]
    assert min(abs(ratio - CTR_THRESHOLD) for ratio in ratios) > 0.02


def test_studies_follow_in_time(patients):
    for patient in patients:
        days = [visit.taken for visit in patient.visits]
        assert days == sorted(set(days))
        assert all(visit.taken > patient.born for visit in patient.visits)


def test_one_to_four_nodules_are_equally_frequent(histories):
    counts = Counter(study.num_nodules for history in histories for study in history if study.num_nodules)
    total = sum(counts.values())
    assert sorted(counts) == [1, 2, 3, 4]
    assert all(0.18 < count / total < 0.32 for count in counts.values())


@pytest.mark.parametrize("kind", ["nodule", "effusion", "pneumothorax", "consolidation"])
def test_sides_are_balanced(histories, kind):
    sides = Counter(finding.side for history in histories for study in history for finding in study.of(kind))
    assert 0.42 < sides["left"] / sides.total() < 0.58


def test_a_lesion_keeps_side_and_place_over_time(patients):
    for patient in patients:
        for kind in ("effusion", "pneumothorax", "consolidation"):
            places = {(x.side, x.x, x.y) for visit in patient.visits for x in visit.lesions if x.kind == kind}
            assert len(places) <= 1
