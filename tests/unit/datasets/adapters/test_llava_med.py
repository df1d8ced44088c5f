from pathlib import Path

from osler.datasets.adapters.llava_med import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "llava_med"


def samples(split: str = "train") -> list:
    return [d.sample for d in read_drafts(DATASET, "llava_med", FIXTURE, split=split) if d.sample]


def test_llava_med_tells_its_parts_apart_and_keeps_them_in_one_group():
    alignment, instruct = samples()
    assert alignment.tags == ("part:alignment", "domain:mri") and instruct.tags == ("part:instruct", "domain:mri")
    assert alignment.group == instruct.group == "pmid:111" and alignment.id != instruct.id
    assert (alignment.modality, [turn.role for turn in instruct.turns]) == ("mri", ["user", "assistant", "user"])
