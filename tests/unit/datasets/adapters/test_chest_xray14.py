import pytest

from osler.core.errors import InputError
from osler.datasets.adapters.chest_xray14 import DATASET
from osler.datasets.dataset import read_drafts

HEAD = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"


def write(root, name, *labels):
    rows = [f"{n}.png,{label},0,{n},50,M,PA" for n, label in enumerate(labels)]
    (root / name).write_text("\n".join([HEAD, *rows]) + "\n")
    (root / "test_list.txt").write_text("\n".join(f"{n}.png" for n in range(len(labels))))


def test_labels_are_one_answer_and_a_tag_each(tmp_path):
    write(tmp_path, "Data_Entry_2017_v2020.csv", "Nodule|Edema", "Rash", "")
    found = list(read_drafts(DATASET, "chest_xray14", tmp_path, split="test"))
    assert found[0].sample.answer.text == "edema, nodule" and found[0].sample.tags == ("label:Edema", "label:Nodule")
    assert found[0].places == {"0.png": "images/0.png"} and found[0].sample.group == "chest_xray14/0"
    assert [draft.skip for draft in found[1:]] == ["unknown label Rash", "no label"]


def test_the_newer_table_is_read_where_both_are_there(tmp_path):
    write(tmp_path, "Data_Entry_2017.csv", "Mass", "Mass")
    write(tmp_path, "Data_Entry_2017_v2020.csv", "Hernia")
    found = [d.sample.answer.text for d in read_drafts(DATASET, "chest_xray14", tmp_path, split="test")]
    assert found == ["hernia"]


def test_a_split_needs_its_list(tmp_path):
    write(tmp_path, "Data_Entry_2017.csv", "Mass")
    with pytest.raises(InputError, match="lacks train_val_list.txt, which tells the train split"):
        list(read_drafts(DATASET, "chest_xray14", tmp_path, split="train"))
