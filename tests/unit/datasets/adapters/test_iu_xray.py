import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.datasets.adapters.iu_xray import DATASET
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "iu_xray"


def read(root, split="train"):
    return list(read_drafts(DATASET, "iu_xray", root, split=split))


@pytest.fixture
def real(tmp_path):
    folder = read_settings().test_data / "iu_xray_reports"
    if not folder.is_dir():
        pytest.skip("no iu_xray_reports among the real files")
    for name in ("indiana_reports.csv", "indiana_projections.csv"):
        (tmp_path / name).symlink_to((folder / name).resolve())
    return tmp_path, (folder / "r2gen_annotation.json").resolve()


def test_the_real_tables_alone_are_train(real):
    root, _ = real
    drafts = read(root)
    assert Counter(draft.sample.task if draft.sample else draft.skip for draft in drafts) == {
        "findings": 1653,
        "impression": 1647,
        "the findings of the report are empty": 2 * 263,
        "the report has neither findings nor impression": 2 * 11,
        "the impression of the report is empty": 6,
    }
    views = Counter(ref.view for draft in drafts if draft.sample for ref in draft.sample.media[:1])
    assert views.most_common(1)[0][0] == "frontal"
    with pytest.raises(InputError, match="split 'test' of dataset iu_xray lacks .*annotation.json"):
        read(root, "test")


def test_the_real_annotation_tells_the_splits(real):
    root, annotation = real
    (root / "annotation.json").symlink_to(annotation)
    found = {split: {d.sample.group for d in read(root, split) if d.sample} for split in DATASET.splits}
    assert (len(found["test"]), len(found["validation"])) == (289, 148) and len(found["train"]) == 1653 - 289 - 148
    # Alone it gives the same findings of the same split, from its own pictures.
    rows = {d.sample.answer.text for d in read(root, "test") if d.sample and d.sample.task == "findings"}
    (root / "indiana_reports.csv").unlink()
    alone = read(root, "test")
    assert len(alone) == 289 and {draft.sample.answer.text for draft in alone} == rows
    assert alone[0].places[alone[0].sample.media[0].path].startswith("images/CXR")


def test_a_report_without_an_image_is_counted(tmp_path):
    for name in ("indiana_reports.csv", "indiana_projections.csv"):
        shutil.copy(FIXTURE / name, tmp_path / name)
    (tmp_path / "indiana_projections.csv").write_text("uid,filename,projection\n1,a.png,Frontal,odd\n")
    skips = Counter(draft.skip for draft in read(tmp_path))
    assert skips["the report has no image"] == 4 and skips["broken line: line 2 has 4 fields, expected 3"] == 1


def test_an_annotation_of_another_layout_is_refused(tmp_path):
    (tmp_path / "annotation.json").write_text(json.dumps({"train": [{"id": "CXR1_a", "split": "train"}]}))
    with pytest.raises(InputError, match="has other fields; expected id, report, image_path, split; got id, split"):
        read(tmp_path)
