import gzip
import shutil
import zipfile
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.datasets.adapters.mimic_cxr import DATASET
from osler.datasets.dataset import BadRow, read_drafts
from osler.datasets.mimic import MimicStudies, below_files, subject_of

FIXTURE = Path(__file__).parents[2] / "fixtures" / "datasets" / "mimic_cxr"
READ = MimicStudies(tasks=("findings",))


@pytest.fixture
def root(tmp_path):
    return shutil.copytree(FIXTURE, tmp_path / "mimic")


def table(root, name, change):
    path = root / f"mimic-cxr-2.0.0-{name}.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    path.unlink()
    path.with_suffix("").write_text(change(text))


def test_a_patient_comes_once_with_studies_in_time_order(root):
    # The table's order must not matter: patients are mixed in it and the later study comes first.
    def turned(text):
        head, *lines = text.splitlines()
        return "\n".join([head, *sorted(lines, reverse=True)]) + "\n"

    rows = list(READ(root, "train"))
    table(root, "metadata", turned)
    assert list(READ(root, "train")) == rows
    assert [row["study_id"] for row in rows] == ["50000001", "50000003", "50000007"]
    assert [row["prior"] and row["prior"]["study_id"] for row in rows] == [None, "50000001", None]
    assert rows[1]["prior_report"] == rows[0]["report"] and "has gone" in rows[1]["report"]
    assert [view["view"] for view in rows[1]["views"]] == ["PA", "lateral"] and rows[2]["views"][0]["view"] == ""


def test_reports_are_found_beside_the_images_apart_and_zipped(root):
    rows = list(READ(root, "train"))
    with zipfile.ZipFile(root / "mimic-cxr-reports.zip", "w") as archive:
        for path in sorted((root / "files").rglob("*.txt")):
            archive.write(path, path.relative_to(root))
            path.unlink()
    assert list(READ(root, "train")) == rows
    (root / "mimic-cxr-reports.zip").unlink()
    skips = [draft.skip for draft in read_drafts(DATASET, "mimic_cxr", root, split="train")]
    assert skips == ["the study has no report"] * 3
    (root / "mimic-cxr-reports").mkdir()
    shutil.copytree(FIXTURE / "files", root / "mimic-cxr-reports" / "files")
    assert list(READ(root, "train")) == rows


def test_images_that_cannot_be_placed_are_counted(root):
    table(root, "metadata", lambda text: text + "x,19999999,5,CHEST,PA,8,8,1,1,\ny,abc,5,CHEST,PA,8,8,1,1,\nz\n")
    bad = [row.reason for row in READ(root, "test") if isinstance(row, BadRow)]
    assert bad[:2] == [
        "an image's patient is not in mimic-cxr-2.0.0-split.csv",
        "an image's patient or study is not a number",
    ]
    assert bad[2].startswith("broken line: line 11 has 1 fields") and len(bad) == 3


def test_a_patient_in_two_splits_is_refused(root):
    table(root, "split", lambda text: text + "x,5,10000032,test\n")
    with pytest.raises(InputError, match="patient 10000032 is in splits train and test .*expected each patient in one"):
        list(READ(root, "train"))


def test_a_study_without_a_date_has_no_prior(root):
    table(root, "metadata", lambda text: text.replace("21800806", ""))
    rows = {row["study_id"]: row for row in READ(root, "train")}
    assert rows["50000003"]["prior"] is None and rows["50000001"]["prior"] is None


def test_paths_name_their_patient():
    assert below_files("cxr/mimic/files/p10/p10000032/s5/a.jpg") == "p10/p10000032/s5/a.jpg"
    assert below_files("/p10/p10000032/s5/a.jpg") == "p10/p10000032/s5/a.jpg"
    assert subject_of("p10/p10000032/s5/a.jpg") == "10000032" and subject_of("images/a.jpg") == ""
