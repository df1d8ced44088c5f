import shutil
from collections import Counter
from pathlib import Path

from osler.datasets.adapters.mmmu_pro_med import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "mmmu_pro_med"


def drafts(root: Path) -> list:
    return list(read_drafts(DATASET, "mmmu_pro_med", root, split="test"))


def test_three_ways_of_asking_are_told_apart_and_share_a_group():
    found = [draft.sample for draft in drafts(FIXTURE) if draft.sample]
    assert Counter(sample.task for sample in found) == {
        f"choice_qa_{name}": 1 for name in ("options_4", "options_10", "vision")
    }
    assert {sample.answer.letter for sample in found} == {"D", "J"} and len({sample.group for sample in found}) == 1


def test_other_subjects_are_left_out():
    assert not [draft for draft in drafts(FIXTURE) if "History" in draft.id]


def test_one_configuration_is_enough(tmp_path):
    shutil.copytree(FIXTURE / "standard (10 options)", tmp_path / "standard (10 options)")
    assert [len(draft.sample.answer.options) for draft in drafts(tmp_path) if draft.sample] == [10]
