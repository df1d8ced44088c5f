import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from osler.core.errors import InputError
from osler.datasets.adapters.path_vqa import DATASET
from osler.datasets.dataset import read_drafts


def drafts(root, split):
    return list(read_drafts(DATASET, "path_vqa", root, split=split))


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (3, 2), value).save(out, "PNG")
    return out.getvalue()


def test_the_hub_has_the_official_splits(tmp_path):
    (tmp_path / "data").mkdir()
    for number, split in enumerate(("train", "validation", "test")):
        rows = [
            {"image": {"bytes": png(number), "path": None}, "question": "Is it malignant?", "answer": answer}
            for answer in ("no", "in the liver")
        ]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    groups = set()
    for split in DATASET.splits:
        found = drafts(tmp_path, split)
        assert [d.sample.answer.kind for d in found] == ["closed", "open"]
        groups |= {d.sample.group for d in found}
    assert len(groups) == 3


def test_the_lxmert_lists_give_one_sample_a_question(tmp_path):
    rows = [
        {
            "img_id": "test_0001",
            "sentf": {"pvqa": ["Is it?", "Where?"]},
            "labelf": {"pvqa": [{"yes": 1.0}, {"liver": 1}]},
        },
        {"img_id": "test_0002", "sentf": {"pvqa": []}, "labelf": {"pvqa": []}},
        {"img_id": "test_0003", "sentf": {"pvqa": ["What?", "Why?"]}, "labelf": {"pvqa": [{}]}},
        {"img_id": "test_0004", "sentf": {}, "labelf": {}},
    ]
    (tmp_path / "lxmert").mkdir()
    (tmp_path / "lxmert" / "pvqa_test.json").write_text(json.dumps(rows))
    found = drafts(tmp_path, "test")
    assert [(d.sample.question, d.sample.answer.text, d.sample.media[0].path) for d in found if d.sample] == [
        ("Is it?", "yes", "test_0001.jpg"),
        ("Where?", "liver", "test_0001.jpg"),
    ]
    assert [d.skip for d in found if d.skip] == ["the answer is empty"] * 2
    assert found[0].places == {"test_0001.jpg": "images/test_0001.jpg"}


def test_the_layout_without_splits_has_no_test(tmp_path):
    (tmp_path / "data").mkdir()
    row = {"Image_ID": "Fig.1", "Questions": "Is it?", "Answers": "yes"}
    (tmp_path / "data" / "QA_pairs_vb.json").write_text(json.dumps([row]))
    assert len(drafts(tmp_path, "train")) == 1
    with pytest.raises(InputError, match="split 'test' of dataset path_vqa lacks .*as published"):
        drafts(tmp_path, "test")


def test_published_lists_of_the_lxmert_layout(test_data):
    if not list((test_data / "pathvqa_text").glob("**/pvqa_test.json")):
        pytest.skip("no pvqa_test.json among the real files")
    found = drafts(test_data / "pathvqa_text", "test")
    assert len(found) > 6000 and all(d.sample for d in found)
