import pytest

from osler.datasets.adapters.volume_qa import DATASET, to_sample
from osler.datasets.dataset import Skip

ROW = {"volume": "a.nii.gz", "question": " Is it? ", "answer": "Yes", "patient": "p"}


def test_a_scan_is_a_volume_with_its_mask():
    sample = to_sample({**ROW, "mask": "m.nii.gz", "modality": "CT", "body_part": "Chest"})
    (ref,) = sample.media
    assert (ref.kind, ref.path, ref.mask.path) == ("volume", "a.nii.gz", "m.nii.gz")
    assert (sample.answer.kind, sample.answer.text, sample.question) == ("closed", "yes", "Is it?")
    assert (sample.modality, sample.body_part) == ("CT", "chest")


def test_several_scans_are_asked_about_in_order():
    sample = to_sample({**ROW, "volume": ["b", "a.nii"], "answer": "grown", "mask": "m.nii"})
    assert [ref.path for ref in sample.media] == ["b", "a.nii"] and sample.answer.kind == "open"
    assert all(ref.mask is None for ref in sample.media), "whose mask it is is not known"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": ""}, "empty"),
        ({"question": " "}, "empty"),
        ({"volume": ""}, "no volume"),
        ({"volume": None}, "no volume"),
        ({"options": ["no", "perhaps"]}, "not one of the options"),
    ],
)
def test_rows_that_ask_nothing_are_skipped_with_a_reason(change, reason):
    skip = to_sample({**ROW, **change})
    assert isinstance(skip, Skip) and reason in skip.reason


def test_a_local_set_is_never_open_by_default():
    assert (DATASET.licence, DATASET.access) == ("NOASSERTION", "credentialed")
