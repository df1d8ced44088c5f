"""Two hundred planted strings in headers, pixels and reports: none is left in any byte that is written or said."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from identities import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    J2K,
    JPEG,
    KEY,
    RLE,
    Planted,
    dicom_file,
    gradient,
    write_on,
)  # fmt: skip
from osler.core.settings import read_settings
from osler.media.deid_ocr import TextFinder
from osler.media.deid_pixels import Picture, mask_text, text_views
from osler.media.deid_residue import find_residue

pytestmark = pytest.mark.e2e
CURATE = """
title: Studies
datasets: [{name: dicom_folder, root: clean, splits: [train], agreement: {research: drawn for this test}}]
operators: [drop_missing_image, drop_broken_image]
"""


@pytest.fixture(scope="module")
def finder():
    return TextFinder()


def osler(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "osler.cli.main", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def plant(root, planted: Planted) -> None:
    """Eight files of two patients, each in a transfer syntax of its own, with names of files and folders to match."""
    folder = root / planted("visit of ")
    folder.mkdir(parents=True)
    syntaxes = [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE, JPEG, J2K, EXPLICIT]
    for number, syntax in enumerate(syntaxes):
        small = syntax == JPEG or number == 7
        pixels = gradient(120, 260, "uint8" if small else "uint16", 200 if small else 3000)
        if number == 7:
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        if syntax != DEFLATED:
            pixels = write_on(pixels, planted(), (20, 24), 255 if small else 4095)
        elements = {"StudyInstanceUID": f"1.2.826.0.1.{number // 4}", "AccessionNumber": f"ACC77{number // 4:04d}"}
        elements["PatientID"] = f"MRN88{number // 4:04d}"
        data = dicom_file(number, planted=planted, syntax=syntax, pixels=pixels, **elements)
        (folder / f"{planted()}.dcm").write_bytes(data)
    planted.strings += ["ACC770000", "ACC770001", "MRN880000", "MRN880001"]
    (folder / "note.txt").write_text(planted("not for you: "), encoding="utf-8")


def reports(path, root, planted: Planted) -> None:
    """One a study: the header's strings in other spellings, and strings that only rules can know."""
    import pydicom

    with path.open("w", encoding="utf-8") as file:
        for study in (0, 1):
            header = pydicom.dcmread(sorted(p for p in root.rglob("*.dcm"))[0])
            for name in root.rglob("*.dcm"):
                found = pydicom.dcmread(name, stop_before_pixels=True)
                header = found if str(found.AccessionNumber).endswith(str(study)) else header
            family, given = str(header.PatientName).split("^")
            doctor = str(header.ReferringPhysicianName).split("^")[0]
            phone, mail, link = (
                f"617-555-01{study}9",
                f"desk{study}77@ward.example.org",
                f"https://ward{study}77.example.org",
            )
            street, record = f"4{study} Old Mill Road", f"MRN: 77{study}4411"
            planted.strings += [phone, mail, link, street, record[5:], f"12/0{study + 1}/2018"]
            words = [
                f"{given.upper()} {family.lower()} ({family}, {given}), {header.PatientID}, {header.AccessionNumber}.",
                f"Referred by Dr. {doctor} of {header.InstitutionName}. {record}. Call {phone} or {mail}, see {link}.",
                f"Lives at {street}. Compared with 12/0{study + 1}/2018. The lungs are clear.",
            ]
            file.write(json.dumps({"accession": str(header.AccessionNumber), "text": " ".join(words)}) + "\n")
        file.write(json.dumps({"accession": "nowhere", "text": planted("of ")}) + "\n")


def test_nothing_planted_survives(tmp_path, finder):
    planted = Planted([])
    plant(tmp_path / "raw", planted)
    reports(tmp_path / "reports.jsonl", tmp_path / "raw", planted)
    assert len(set(planted.strings)) >= 200
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "deid.yaml").write_text("{root: raw, key_file: key, reports: reports.jsonl, dicom: all, splits: "
                                        "{train: 1, validation: 0, test: 0}}")  # fmt: skip
    (tmp_path / "curate.yaml").write_text(CURATE)
    said = osler(tmp_path, "deid", "deid.yaml", "--out", "clean", "--debug")
    said += osler(tmp_path, "curate", "curate.yaml", "--out", "curated", "--debug")
    (tmp_path / "clean" / "said.txt").write_text(said)
    summary = json.loads((tmp_path / "clean" / "summary.json").read_text())
    assert summary["counts"]["instances"] == 8 and summary["counts"]["reports"] == 2, summary
    assert summary["held_back"] == {"no DICOM file": 1, "report without a study": 1}
    assert summary["counts"]["boxes_masked"] >= 7
    for folder in ("clean", "curated"):
        assert find_residue(tmp_path / folder, [*planted.strings, KEY.hex(), KEY.decode("latin-1")]) == []
    studies = [json.loads(line) for line in (tmp_path / "clean" / "studies.jsonl").read_text().splitlines()]
    assert all("The lungs are clear." in study["report"] for study in studies) and len(studies) == 2
    assert json.loads((tmp_path / "curated" / "manifest.json").read_text())["counts"]["samples"] == 2
    pictures = sorted((tmp_path / "clean" / "images").rglob("*.png"))
    assert len(pictures) == 8
    for path in pictures:
        pixels = np.asarray(Image.open(path))
        assert [found for view in text_views(pixels, inverted=False, window=None) for found in finder.find(view)] == []
    assert osler(tmp_path, "deid", "deid.yaml", "--out", "clean").strip() == "clean: already finished"


def gray(pixels) -> Picture:
    return Picture(pixels[None], 12, inverted=False)


def test_a_name_is_painted_over_and_a_marker_stays(finder):
    pixels = write_on(gradient(120, 240), "DOE JANE", (20, 20), 4095)
    clean, boxes = mask_text(gray(pixels), finder, None)
    assert boxes >= 1 and (clean.frames[0, 24:36, 24:90] == clean.black).mean() > 0.95
    assert (clean.frames[0, 60:] == pixels[60:]).all()
    marked = write_on(gradient(120, 240, top=1500), "R", (200, 80), 4095)
    clean, boxes = mask_text(gray(marked), finder, None)
    assert boxes == 0 and (clean.frames[0] == marked).all()


def test_white_on_nearly_white_is_found(finder):
    folder = read_settings().test_data / "dicom_phi_burned_in" / "presidio"
    if not folder.is_dir():
        pytest.skip("the real DICOM files are not here")
    import pydicom

    pixels = pydicom.dcmread(folder / "2_ORIGINAL.dicom").pixel_array
    found = [f.box for view in text_views(pixels, inverted=False, window=None) for f in finder.find(view)]
    assert any(box[1] < 8 and box[2] > 200 for box in found), "the line at the upper border, cut in half"
    assert any(10 <= box[1] <= 20 and 100 < box[2] < 140 for box in found), "the date of birth"
