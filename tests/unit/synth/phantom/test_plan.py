import pytest

from osler.core.errors import InputError
from osler.synth.phantom.plan import plan_jobs, split_of

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}


def test_the_split_is_fixed_by_the_number_and_follows_the_shares():
    splits = [split_of(number, SHARES) for number in range(4000)]
    for split, share in SHARES.items():
        assert splits.count(split) / 4000 == pytest.approx(share, abs=0.03)


def test_a_split_without_a_share_stays_empty():
    assert {split_of(n, {"train": 1.0, "validation": 0.0, "test": 0.0}) for n in range(500)} == {"train"}
    assert {split_of(n, {"train": 0.0, "validation": 0.0, "test": 1.0}) for n in range(500)} == {"test"}


def test_every_patient_lies_in_one_shard_of_its_split():
    jobs = plan_jobs(0, 300, shares=SHARES, shard_records=40)
    patients = [number for job in jobs for number in job.patients]
    assert sorted(patients) == list(range(300))
    assert all(split_of(number, SHARES) == job.split for job in jobs for number in job.patients)
    assert [job.name for job in jobs if job.split == "test"][:2] == ["test-00000", "test-00001"]


def test_more_patients_leave_earlier_shards_as_they_are():
    small, large = (plan_jobs(0, n, shares=SHARES, shard_records=20) for n in (100, 200))
    assert small[0] in large


def test_a_split_that_would_be_empty_is_refused():
    with pytest.raises(InputError, match="split 'test' has no patient.*one of 2 patients"):
        plan_jobs(0, 2, shares={"train": 0.99, "validation": 0.0, "test": 0.01}, shard_records=10)
