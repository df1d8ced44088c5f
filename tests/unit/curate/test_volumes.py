import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("nibabel")
pytest.importorskip("pydicom")

from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.core.log import Log
from osler.core.settings import read_settings
from osler.curate.run import parse, run
from osler.media.image import decode_image, image_facts
from osler.media.slices import CT_WINDOWS
from osler.media.volume import slice_values
from osler.media.volume_file import read_volume
from osler.media.window import apply_window
from osler.schema.media import Window
from osler.store.reader import Store
from scans import affine, block, write_nifti

FIXTURE = Path(__file__).parents[2] / "fixtures" / "datasets" / "volume_qa"
LUNG = {"plane": "axial", "rule": "uniform", "count": 4, "window": "lung"}


def recipe(root: Path = FIXTURE, splits=("train",), volumes: dict | None = LUNG, **fields) -> dict:
    datasets = [{"name": "volume_qa", "root": str(root), "splits": list(splits), "agreement": {"research": "our own"}}]
    operators = ["drop_missing_image", "drop_broken_image", "drop_duplicate_sample"]
    section = {} if volumes is None else {"volumes": volumes}
    return {"datasets": datasets, "operators": operators, **section, **fields}


def curate(out: Path, **fields):
    return run(parse(recipe(**fields)), out, device="cpu", log=Log(quiet=True))


def drops(out: Path) -> dict[str, str]:
    return {
        row["id"]: row["reason"] for row in pq.read_table(out / "drops.parquet").to_pylist() if row["rule"] == "volumes"
    }


def local(root: Path, **rows) -> Path:
    """A folder of the adapter's layout with one question for each volume."""
    root.mkdir(parents=True, exist_ok=True)
    lines = [
        {"volume": path, "question": f"What is {name}?", "answer": "a scan", "patient": name}
        for name, path in rows.items()
    ]
    (root / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


def test_a_question_about_a_scan_is_asked_with_its_slices(tmp_path):
    outcome = curate(tmp_path)
    assert (outcome.counts["records"], outcome.counts["samples"], outcome.counts["drops"]) == (1, 2, 1)
    store = Store(tmp_path)
    record = next(store.records("train"))
    assert list(record.files) == [f"{record.key}.{n}.png" for n in range(4)]
    scan = read_volume(FIXTURE / "scans" / "a.nii.gz")
    for row in store.table("train").to_pylist():
        sample = store.sample(row)
        assert [ref.volume_slice.index for ref in sample.media] == [1, 3, 4, 6]
        assert [type(part).__name__ for part in sample.turns[0].parts] == ["Image"] * 4 + ["Text"]
        assert (row["bits"], row["widths"], row["heights"]) == ([16] * 4, [12] * 4, [10] * 4)
        for data, ref in zip(store.media(row), sample.media, strict=True):
            source = slice_values(scan, "axial", ref.volume_slice.index)
            seen = decode_image(data, ref)
            np.testing.assert_array_equal(seen[..., 0], apply_window(source, CT_WINDOWS["lung"]))
            assert (ref.kind, ref.view, ref.bits) == ("image", "axial", 16)


def test_geometry_survives_the_store(tmp_path):
    curate(tmp_path)
    place = next(Store(tmp_path).records("train")).samples[0].media[1].volume_slice
    assert (place.path, place.sha256) == ("scans/a.nii.gz", sha256_file(FIXTURE / "scans" / "a.nii.gz"))
    assert (place.plane, place.index, place.num_slices, place.orientation) == ("axial", 3, 8, "LPS")
    assert (place.spacing_mm, place.position_mm) == ((2, 2, 5), (11, 9, -5))
    assert (place.slope, place.intercept) == (1, -32768)


def test_a_mark_on_the_left_of_the_patient_is_at_the_right_of_the_stored_picture(tmp_path):
    voxels = block()
    voxels[1, 5, 3] = 3000  # x grows to the right, so 1 of 0 to 11 is on the patient's left
    for name, signs in {"ras": (1, 1, 1), "lps": (-1, -1, 1)}.items():
        turned = voxels if name == "ras" else voxels[::-1, ::-1]
        write_nifti(tmp_path / "in" / f"{name}.nii", turned, affine(signs=signs))
    rule = {"plane": "axial", "rule": "indices", "indices": [3], "window": "bone"}
    curate(tmp_path / "out", root=local(tmp_path / "in", ras="ras.nii", lps="lps.nii"), volumes=rule)
    records = list(Store(tmp_path / "out").records("train"))
    for record in records:
        seen = decode_image(next(iter(record.files.values())), record.samples[0].media[0])[..., 0]
        assert np.unravel_index(seen.argmax(), seen.shape) == (4, 10)
    assert len(records) == 2


def test_slices_are_named_in_words_only_where_the_rule_says_so(tmp_path):
    curate(tmp_path, splits=("validation", "test"), volumes={**LUNG, "count": 2, "label_slices": True})
    store = Store(tmp_path)
    one = next(store.records("validation")).samples[0]
    assert one.turns[0].text.splitlines()[:2] == [
        "Slice 1 of 2, axial, 9.0 mm apart.",
        "Slice 2 of 2, axial, 9.0 mm apart.",
    ]
    two = next(store.records("test")).samples[0]
    words = [part.text for part in two.turns[0].parts if hasattr(part, "text")]
    assert words[2] == "Scan 2, slice 1 of 2, axial, 25.0 mm apart." and words[-1] == "Is the second scan thicker?"
    assert [ref.volume_slice.units for ref in two.media] == ["HU", "HU", "", ""]


def test_uneven_distances_are_said_to_be_about(tmp_path):
    curate(tmp_path, volumes={**LUNG, "label_slices": True})
    text = next(Store(tmp_path).records("train")).samples[0].turns[0].text
    assert text.startswith("Slice 1 of 4, axial, about 8.3 mm apart.\n")


def test_other_choices_reach_the_slices(tmp_path):
    rule = {"plane": "coronal", "rule": "centre", "count": 2, "window": {"center": 50, "width": 100}, "bits": 8}
    curate(tmp_path / "a", volumes={**rule, "square_pixels": True})
    record = next(Store(tmp_path / "a").records("train"))
    facts = [image_facts(data) for data in record.files.values()]
    assert [(fact.width, fact.height, fact.bits) for fact in facts] == [(12, 20, 8)] * 2
    assert all(ref.window is None and ref.volume_slice.spacing_mm == (2, 2, 2) for ref in record.samples[0].media)


def test_a_mask_says_which_slices_are_shown(tmp_path):
    """The second question about the scan names no mask and shows what the first does: they are one record."""
    masked = {"rule": "mask", "label": 1, "count": 1, "window": {"percentiles": [1, 99]}}
    curate(tmp_path / "a", volumes=masked)
    (record,) = Store(tmp_path / "a").records("train")
    assert len(record.samples) == 2 and record.samples[1].media[0].volume_slice.index == 4
    root = tmp_path / "in"
    shutil.copytree(FIXTURE, root)
    rows = [json.loads(line) for line in (root / "train.jsonl").read_text().splitlines()]
    rows[1]["mask"] = "scans/other.nii.gz"
    (root / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curate(tmp_path / "b", root=root, volumes=masked)
    assert set(drops(tmp_path / "b").values()) == {
        "several masks of one volume: scans/a.nii.gz: scans/a_mask.nii.gz, scans/other.nii.gz"
    }
    rows[0]["mask"] = "scans/other.nii.gz"
    (root / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    curate(tmp_path / "c", root=root, volumes=masked)
    assert "no volume other.nii.gz" in next(iter(drops(tmp_path / "c").values()))


def test_without_the_section_a_volume_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"'volume_qa/train/000000' is about the volume 'scans/a.nii.gz'.*`volumes: \{plane"
    ):
        curate(tmp_path, volumes=None)


def test_volumes_that_cannot_be_shown_are_counted_drops(tmp_path):
    root = tmp_path / "in"
    write_nifti(root / "good.nii.gz", block(), affine())
    (root / "cut.nii.gz").write_bytes((root / "good.nii.gz").read_bytes()[:200])
    (root / "note.txt").write_text("no scan")
    write_nifti(root / "air.nii", np.full((4, 4, 4), -1000, np.int16), affine())
    shutil.copytree(FIXTURE / "scans" / "b", root / "gap")
    (root / "gap" / "1.dcm").unlink()
    paths = {"good": "good.nii.gz", "cut": "cut.nii.gz", "gone": "gone.nii.gz", "note": "note.txt", "air": "air.nii"}
    outcome = curate(tmp_path / "out", root=local(root, **paths, gap="gap"))
    found = drops(tmp_path / "out")
    assert outcome.counts["samples"] == 1 and len(found) == 5
    reasons = list(found.values())
    assert reasons[0].startswith("volume not shown: cut.nii.gz: cut.nii.gz is no readable NIfTI file")
    assert reasons[1] == "volume missing: gone.nii.gz"
    assert reasons[2].startswith("volume not shown: note.txt: note.txt is no DICOM file")
    assert reasons[3].startswith("volume not shown: air.nii: every axial slice is empty")
    assert reasons[4].startswith("volume not shown: gap: slices missing: 1 between 0.dcm and 2.dcm")
    assert str(tmp_path) not in "".join(reasons)
    with pytest.raises(InputError, match="leads out of"):
        curate(tmp_path / "other", root=local(tmp_path / "far", far="../in/good.nii.gz"))


def test_a_missing_reader_ends_the_run(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(InputError, match=r"osler\[volume\]"):
        curate(tmp_path)


def test_the_same_words_about_another_series_are_no_duplicate(tmp_path):
    """A folder has no bytes of its own: it is told from others by its instances."""
    for name in ("one", "same", "other"):
        shutil.copytree(FIXTURE / "scans" / "b", tmp_path / "in" / name)
    (tmp_path / "in" / "other" / "3.dcm").unlink()
    rows = [
        {"volume": name, "question": "Well?", "answer": "yes", "patient": name} for name in ("one", "same", "other")
    ]
    (tmp_path / "in" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert curate(tmp_path / "out", root=tmp_path / "in").counts["samples"] == 2


def test_workers_change_no_byte(tmp_path):
    """The rule travels to another process."""
    curate(tmp_path / "one")
    curate(tmp_path / "two", num_workers=2)
    one, two = (next((tmp_path / name / "shards").glob("*.tar")).read_bytes() for name in ("one", "two"))
    assert one == two


def test_another_rule_makes_other_shards_and_the_same_rule_none(tmp_path):
    curate(tmp_path)
    tar = next((tmp_path / "shards").glob("*.tar"))
    before = (tar.stat().st_mtime_ns, tar.read_bytes())
    curate(tmp_path)
    assert (tar.stat().st_mtime_ns, tar.read_bytes()) == before
    curate(tmp_path, volumes={**LUNG, "count": 3})
    assert len(next(Store(tmp_path).records("train")).files) == 3


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"plane": "axial", "count": 3}, "key 'volumes.window' is missing"),
        ({"window": "lungs", "count": 3}, "volumes.window"),
        ({"window": "lung"}, "the rule uniform needs count"),
        ({"window": "lung", "rule": "every_mm", "count": 2}, "the rule every_mm needs every_mm"),
        ({"window": "lung", "count": 2, "indices": [1]}, "the rule uniform takes no indices"),
        ({"window": "lung", "count": 2, "label": 1}, "the rule uniform takes no label"),
        ({"window": {"percentiles": [99, 1]}, "count": 2}, "low below high"),
        ({"window": {"center": 1, "width": 0}, "count": 2}, "width"),
        ({"window": "lung", "count": 2, "slices": 4}, "unknown key 'volumes.slices'"),
    ],
)
def test_a_section_that_means_nothing_is_refused(section, message):
    with pytest.raises(InputError, match=message):
        parse(recipe(volumes=section))


def test_real_scans_become_slices(tmp_path):
    root = read_settings().test_data
    series, nifti = root / "dicom_pydicom/test_files/dicomdirtests/98892001/CT5N", root / "nifti/nibabel"
    if not series.is_dir() or not nifti.is_dir():
        pytest.skip(f"no {series} or no {nifti}")
    shutil.copytree(series, tmp_path / "in" / "ct")
    for name in ("anatomical.nii", "example_nifti2.nii.gz", "row_major.dconn.nii"):
        shutil.copy(nifti / name, tmp_path / "in" / name)
    names = {"ct": "ct", "t1": "anatomical.nii", "epi": "example_nifti2.nii.gz", "matrix": "row_major.dconn.nii"}
    rule = {"plane": "sagittal", "rule": "centre", "count": 4, "window": {"percentiles": [1, 99]}, "frame": 1}
    outcome = curate(tmp_path / "out", root=local(tmp_path / "in", **names), volumes=rule)
    assert outcome.counts["samples"] == 3 and len(drops(tmp_path / "out")) == 1
    for record in Store(tmp_path / "out").records("train"):
        ref = record.samples[0].media[2]
        scan = read_volume(tmp_path / "in" / ref.volume_slice.path, frame=1)
        low, high = np.percentile(scan.voxels, (1, 99))
        wanted = apply_window(
            slice_values(scan, "sagittal", ref.volume_slice.index), Window(center=(low + high) / 2, width=high - low)
        )
        seen = decode_image(record.files[ref.path], ref)[..., 0]
        np.testing.assert_array_equal(seen, wanted)
        assert ref.volume_slice.orientation == "PIR"
