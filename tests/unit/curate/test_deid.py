"""The command `osler deid` without the search for text: matching of reports, resume, and what is said of files."""

import json

import pytest

from identities import KEY, dicom_file, gradient
from osler.core.errors import InputError
from osler.core.files import sha256_file
from osler.core.log import Log
from osler.curate import deid_work
from osler.curate.deid import inputs, parse, raw_files, run
from osler.datasets.adapters.dicom_folder import DATASET
from osler.datasets.dataset import read_drafts


class NoText:
    """A finder that finds nothing: it stands in for the slow one."""

    def __init__(self, markers):
        del markers

    def find(self, view):
        return []


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setattr(deid_work, "TextFinder", NoText)
    raw = tmp_path / "raw"
    raw.mkdir()
    for number in range(8):
        elements = {"AccessionNumber": f"ACC{number // 2:05d}"}
        if number >= 6:
            place = [0.0, 0.0, 5.0 * number]
            elements |= {"Modality": "CT", "ImagePositionPatient": place, "PixelSpacing": [1, 1]}
            elements |= {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SeriesInstanceUID": "1.2.3"}
        (raw / f"doe jane {number}.dcm").write_bytes(dicom_file(number, **elements))
    (raw / "readme.txt").write_text("Jane Doe")
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)
    return {"root": str(raw), "key_file": str(tmp_path / "key"), "chunk_files": 3}


def deid(recipe, out):
    return run(parse(recipe), out, device="cpu", log=Log(quiet=True))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def hashes(out):
    return {p.relative_to(out).as_posix(): sha256_file(p) for p in out.rglob("*") if p.is_file()}


def test_studies_are_what_the_adapter_reads(recipe, tmp_path):
    outcome = deid(recipe, tmp_path / "out")
    assert outcome.counts == {
        "files": 9, "instances": 8, "studies": 4, "reports": 0, "held_back": 1, "boxes_masked": 0
    }  # fmt: skip
    assert lines(tmp_path / "out" / "held_back.jsonl") == [{"file": 8, "reason": "no DICOM file"}]
    studies = lines(tmp_path / "out" / "studies.jsonl")
    assert sorted((len(s["images"]), len(s["volumes"])) for s in studies) == [(0, 1), (2, 0), (2, 0), (2, 0)]
    by_patient = {}
    for study in studies:
        by_patient.setdefault(study["patient"], set()).add(study["split"])
    assert len(by_patient) == 2 and all(len(splits) == 1 for splits in by_patient.values())
    drafts = [
        d for split in DATASET.splits for d in read_drafts(DATASET, "dicom_folder", tmp_path / "out", split=split)
    ]
    assert len(drafts) == 4 and all(draft.sample for draft in drafts)


def test_a_cut_run_ends_as_an_uncut_one(recipe, tmp_path):
    deid(recipe, tmp_path / "whole")
    deid(recipe, tmp_path / "cut")
    (tmp_path / "cut" / "chunks" / "00001.json").unlink()
    (tmp_path / "cut" / "studies.jsonl").unlink()
    before = (tmp_path / "cut" / "chunks" / "00000.json").stat().st_mtime_ns
    deid(recipe, tmp_path / "cut")
    assert hashes(tmp_path / "cut") == hashes(tmp_path / "whole")
    assert (tmp_path / "cut" / "chunks" / "00000.json").stat().st_mtime_ns == before


def test_another_key_gives_other_names_and_is_not_mixed_in(recipe, tmp_path):
    deid(recipe, tmp_path / "out")
    first = {study["patient"] for study in lines(tmp_path / "out" / "studies.jsonl")}
    (tmp_path / "key").write_bytes(KEY[::-1])
    deid(recipe, tmp_path / "out")
    assert not first & {study["patient"] for study in lines(tmp_path / "out" / "studies.jsonl")}


def test_an_instance_number_used_again_counts_once(recipe, tmp_path):
    (tmp_path / "raw" / "z1.dcm").write_bytes(dicom_file(0, AccessionNumber="ACC00000"))
    (tmp_path / "raw" / "z2.dcm").write_bytes(dicom_file(0, pixels=gradient(60, 60)))
    outcome = deid(recipe, tmp_path / "out")
    held = lines(tmp_path / "out" / "held_back.jsonl")
    assert [row["reason"] for row in held] == ["no DICOM file", *["instance number repeated"] * 2]
    assert outcome.counts["instances"] == 8 and len(list((tmp_path / "out" / "images").rglob("*.png"))) == 6


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_reports_are_matched_scrubbed_or_held_back(recipe, tmp_path, suffix):
    rows = [
        {"accession": "ACC00000", "text": "Jane Doe, MRN00000: clear lungs."},
        {"accession": "nowhere", "text": "Somebody else."},
        {"accession": "ACC00001", "text": "Shown to Rosa Feldmann."},
    ]
    path = tmp_path / "raw" / f"reports{suffix}"
    if suffix == ".csv":
        path.write_text("accession,text\n" + "".join(f'{row["accession"]},"{row["text"]}"\n' for row in rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    outcome = deid({**recipe, "reports": str(path), "unknown_names": "hold_back"}, tmp_path / "out")
    assert outcome.counts["files"] == 9, "the reports are no instance"
    assert sorted(s["report"] for s in lines(tmp_path / "out" / "studies.jsonl")) == [
        "",
        "",
        "",
        "[NAME], [ID]: clear lungs.",
    ]
    reasons = [row["reason"] for row in lines(tmp_path / "out" / "held_back.jsonl") if "report" in row]
    broken = ["report cannot be read"] if suffix == ".jsonl" else []
    assert reasons == ["report without a study", "report with unknown names", *broken]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["replaced_in_reports"] == {"ID": 1, "NAME": 1}


def test_the_key_is_no_input_and_stays_apart(recipe, tmp_path):
    assert [path.name for path in inputs(parse(recipe))] == ["raw"]
    key = tmp_path / "raw" / "key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    with pytest.raises(InputError, match="Keep it apart"):
        deid({**recipe, "key_file": str(key)}, tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keyfile": "k"}, "unknown key 'keyfile'"),
        ({"ocr": "none"}, "ocr"),
        ({"splits": {"train": 0.5}}, "add up to 1"),
        ({"reports": "notes.xml"}, "another kind"),
    ],
)
def test_a_bad_recipe_is_refused(recipe, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        deid({**recipe, **change}, tmp_path / "out")


def test_files_are_numbered_by_name_and_hidden_ones_left_out(tmp_path):
    for name in ("b", "a", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    assert raw_files(tmp_path, None) == ["a", "b"]
