import pytest

from osler.core.errors import InputError
from osler.datasets.adapters.quilt_1m import DATASET, listed
from osler.datasets.adapters.quilt_instruct import DATASET as INSTRUCT
from osler.datasets.dataset import read_drafts

HEAD = "caption,image_path,subset,split,pathology,magnification\n"


def test_lists_as_python_prints_them():
    assert listed("['Bone', ' Soft tissue']") == ("Bone", "Soft tissue")
    assert listed("") == listed(" nan ") == listed("[]") == ()
    assert listed("Skin") == ("Skin",) and listed("['Bone") == ("['Bone",) and listed("3") == ("3",)


def test_frames_of_a_video_are_one_group_and_its_columns_tags(tmp_path):
    (tmp_path / "quilt_1M_lookup.csv").write_text(
        HEAD + "A cell.,_abcdefghij_roi_1.jpg,quilt,train,\"['Bone', 'Skin']\",2.0\nA tweet.,9.png,openpath,val,,\n"
    )
    (train,) = read_drafts(DATASET, "quilt_1m", tmp_path, split="train")
    assert train.sample.tags == ("subset:quilt", "pathology:Bone", "pathology:Skin", "magnification:2.0")
    assert train.sample.group == "video:_abcdefghij" and train.sample.provenance.access == "registered"
    (held,) = read_drafts(DATASET, "quilt_1m", tmp_path, split="validation")
    assert (held.sample.tags, held.sample.group) == (("subset:openpath",), "quilt_1m/9.png")
    (tmp_path / "quilt_instruct_107k.json").write_text(
        '[{"id": "a", "image": "_abcdefghij_image_7.jpg", "conversations": '
        '[{"from": "human", "value": "<image>\\nWhat?"}, {"from": "gpt", "value": "A cell."}]}]'
    )
    (asked,) = read_drafts(INSTRUCT, "quilt_instruct", tmp_path, split="train")
    assert asked.sample.group == train.sample.group


def test_another_split_is_refused(tmp_path):
    (tmp_path / "quilt_1M_lookup.csv").write_text(HEAD + "A cell.,a.jpg,quilt,dev,,\n")
    with pytest.raises(InputError, match="has the split 'dev'; expected train or val"):
        list(read_drafts(DATASET, "quilt_1m", tmp_path, split="train"))
