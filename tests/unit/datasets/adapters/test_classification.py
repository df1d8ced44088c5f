"""The classification sets: real files where they are at hand, and what only some copies have."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from osler.core.catalog import ADAPTERS
from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.datasets.dataset import read_drafts
from osler.datasets.media import read_media
from osler.media.image import decode_image

REAL = read_settings().test_data
FIXTURES = Path(__file__).parents[3] / "fixtures" / "datasets"


def samples(name, root, split):
    return [d.sample for d in read_drafts(ADAPTERS.load(name), name, root, split=split) if d.sample]


@pytest.mark.parametrize(
    ("name", "folder", "split", "counts"),
    [
        ("busi", "cls_busi_ultrasound", "train", {"benign": 34, "malignant": 19, "normal": 16}),
        ("wbc_blood", "cls_wbc_blood", "train", {"eosinophil": 54, "lymphocyte": 69, "monocyte": 58, "neutrophil": 59}),
        ("wbc_blood", "cls_wbc_blood", "test", {"eosinophil": 18, "lymphocyte": 16, "monocyte": 13, "neutrophil": 19}),
        (
            "brain_tumor_mri",
            "cls_brain_tumor_mri",
            "train",
            {"glioma": 27, "meningioma": 39, "no tumor": 33, "pituitary tumor": 31},
        ),
        (
            "brain_tumor_mri",
            "cls_brain_tumor_mri",
            "test",
            {"glioma": 9, "meningioma": 8, "no tumor": 9, "pituitary tumor": 14},
        ),
    ],
)
def test_real_files(name, folder, split, counts):
    root = REAL / folder
    if not root.is_dir():
        pytest.skip(f"no real files at {root}")
    found = samples(name, root, split)
    assert Counter(sample.answer.text for sample in found) == counts
    assert len({sample.id for sample in found}) == len(found)
    for sample in found[:: max(1, len(found) // 5)]:
        assert decode_image(read_media(root, sample.media[0].path), sample.media[0]).ndim == 3


def test_a_user_folder_reads_real_class_folders():
    root = REAL / "cls_brain_tumor_mri"
    if not root.is_dir():
        pytest.skip(f"no real files at {root}")
    found = samples("folder", root, "test")
    assert len(found) == 40 and found[0].answer.options == (
        "glioma tumor",
        "meningioma tumor",
        "no tumor",
        "pituitary tumor",
    )


def test_one_gray_mask_is_kept_and_others_are_not():
    masks = {s.media[0].path.rpartition("/")[2]: s.media[0].mask for s in samples("busi", FIXTURES / "busi", "train")}
    assert {name for name, mask in masks.items() if mask} == {"benign (1).png"}
    mask = masks["benign (1).png"]
    drawn = np.asarray(Image.open(FIXTURES / "busi" / mask.path))
    assert mask.labels == ("lesion",) and (drawn & 1).sum() == 6


def test_a_mammogram_is_malignant_where_one_abnormality_is():
    first, other = samples("cbis_ddsm", FIXTURES / "cbis_ddsm", "train")
    assert first.answer.text == "malignant" and "abnormalities:2" in first.tags and first.media[0].view == "L CC"
    assert other.answer.text == "benign" and other.group == "cbis_ddsm/P_00003" and "kind:calc" in other.tags


def test_the_archives_own_names_and_missing_mammograms(tmp_path):
    header = "patient_id,left or right breast,image view,pathology,image file path\n"
    row = "P_1,LEFT,CC,BENIGN,Mass-Training_P_1_LEFT_CC/1.1/1.2/000000.dcm\n"
    (tmp_path / "mass_case_description_train_set.csv").write_text(header + row)
    (tmp_path / "calc_case_description_train_set.csv").write_text(header)
    listed = "Mass-Training_P_1_LEFT_CC/1.1/1.2/000000.dcm"
    assert samples("cbis_ddsm", tmp_path, "train")[0].media[0].path == listed
    series = tmp_path / "CBIS-DDSM" / "Mass-Training_P_1_LEFT_CC" / "1.1" / "1.2"
    series.mkdir(parents=True)
    (series / "1-1.dcm").write_bytes(b"")
    assert samples("cbis_ddsm", tmp_path, "train")[0].media[0].path.endswith("1.1/1.2/1-1.dcm")


def test_a_copy_with_a_blank_in_the_folders_name(tmp_path):
    path = tmp_path / "OCT2017 " / "train" / "DME" / "DME-77-1.jpeg"
    path.parent.mkdir(parents=True)
    Image.new("L", (4, 4)).save(path)
    (sample,) = samples("kermany_oct", tmp_path, "train")
    assert sample.group == "kermany_oct/77" and sample.id == "kermany_oct/train/DME/DME-77-1"


def test_patches_of_a_slide_are_one_group(tmp_path):
    rows = [{"name": f"train/9-IMG{n}.JPG", "label": n} for n in range(2)]
    (tmp_path / "train.json").write_text(json.dumps(rows))
    assert {sample.group for sample in samples("chaoyang", tmp_path, "train")} == {"chaoyang/9"}


def test_the_sets_of_medmnist_have_their_own_classes_and_licences():
    found = {s.id.rpartition("/")[2]: s for s in samples("med_mnist", FIXTURES / "med_mnist", "train")}
    assert found["dermamnist-0000000"].provenance.licence == "CC-BY-NC-4.0"
    organ = found["organcmnist_64-0000000"]
    assert organ.provenance.licence == "CC-BY-4.0" and (organ.modality, organ.body_part) == ("ct", "abdomen")
    drafts = read_drafts(ADAPTERS.load("med_mnist"), "med_mnist", FIXTURES / "med_mnist", split="validation")
    answers = {d.sample.tags[0]: d.sample.answer.text for d in drafts}
    assert answers["set:chestmnist"] == "no finding" and answers["set:organcmnist"] == "spleen"


def test_a_file_without_the_arrays_of_a_set_is_named(tmp_path):
    np.savez(tmp_path / "pathmnist.npz", pictures=np.zeros((1, 2, 2), np.uint8))
    with pytest.raises(InputError, match=r"expected train_images, train_labels; got pictures"):
        samples("med_mnist", tmp_path, "train")
