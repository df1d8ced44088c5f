import shutil
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from osler.datasets.adapters.rocov2 import DATASET
from osler.datasets.dataset import read_drafts
from osler.datasets.media import read_media

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "rocov2"


def drafts(root, split="train") -> list:
    return list(read_drafts(DATASET, "rocov2", root, split=split))


def test_article_licence_and_concepts_come_from_the_lists_beside_the_captions(tmp_path):
    samples = [draft.sample for draft in drafts(FIXTURE)]
    assert [(s.group, s.provenance.licence) for s in samples] == [("pmc:PMC21", "CC-BY"), ("pmc:PMC22", "CC-BY-NC")]
    assert samples[1].tags == ("cui:C0040405", "cui:C0000001")
    shutil.copy(FIXTURE / "train_captions.csv", tmp_path)
    bare = drafts(tmp_path)[0].sample
    assert (bare.tags, bare.provenance.licence) == ((), "CC-BY-NC-SA-4.0")
    assert bare.group == "rocov2/ROCOv2_2023_train_000001"


def test_the_hubs_copy_has_the_pictures_inside(tmp_path):
    picture = (FIXTURE / "train" / "ROCOv2_2023_train_000001.jpg").read_bytes()
    row = {"image": {"bytes": picture, "path": None}, "image_id": "x1", "caption": "A film.", "cui": ["C1"]}
    (tmp_path / "data").mkdir()
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "data" / "validation-00000-of-00001.parquet")
    (draft,) = drafts(tmp_path, "validation")
    assert (draft.id, draft.sample.tags) == ("rocov2/validation/x1", ("cui:C1",))
    assert read_media(tmp_path, draft.places[draft.sample.media[0].path]) == picture


def test_pictures_are_read_from_the_zip_files_as_published(tmp_path):
    for path in FIXTURE.glob("*.csv"):
        shutil.copy(path, tmp_path)
    with zipfile.ZipFile(tmp_path / "train_images.zip", "w") as archive:
        for path in sorted((FIXTURE / "train").iterdir()):
            archive.write(path, f"train/{path.name}")
    for draft in drafts(tmp_path):
        path = draft.sample.media[0].path
        assert read_media(tmp_path, draft.places.get(path, path)) == (FIXTURE / path).read_bytes()
