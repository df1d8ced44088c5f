import shutil
from dataclasses import replace
from pathlib import Path

from osler.core.catalog import ADAPTERS
from osler.curate.at_hand import is_here, splits_here, status

FIXTURE = Path(__file__).parents[2] / "fixtures" / "datasets" / "vqa_rad"


def test_a_set_is_here_with_the_splits_whose_files_are(tmp_path):
    dataset = ADAPTERS.load("vqa_rad")
    assert status(dataset, "vqa_rad", tmp_path) == ("hub" if dataset.hub_id else "elsewhere")
    assert status(replace(dataset, hub_id="a/b"), "vqa_rad", tmp_path) == "hub"
    assert status(replace(dataset, access="credentialed"), "vqa_rad", tmp_path) == "on request"
    shutil.copytree(FIXTURE, tmp_path / "vqa_rad")
    (tmp_path / "vqa_rad" / "testset.json").unlink()
    assert splits_here(dataset, "vqa_rad", tmp_path / "vqa_rad") == ["train"]
    assert status(replace(dataset, access="credentialed"), "vqa_rad", tmp_path) == "here"
    assert not is_here(dataset, "vqa_rad", None, split="train")
