"""The reader of uploads, and damage of every kind: the short form of tests/e2e/test_studies_hostile.py."""

import numpy as np
import pytest

from identities import DEFLATED, EXPLICIT, J2K, JPEG, KEY, RLE, dicom_file, gradient
from osler.core.rng import generator
from osler.serve.studies.work import Ask, Rules, work_under
from studies_world import NoText, multipart

FLAT = gradient(dtype="uint8", top=250)


@pytest.fixture(scope="module")
def work():
    return work_under(Rules(key=KEY.hex()), NoText())


def done(work, data, kind="application/dicom", **ask):
    return work({"type": kind, "ask": vars(Ask(**ask))}, [data])


def test_damage_is_an_answer_and_quotes_nothing(work):
    random = generator(7, "damage")
    files = [dicom_file(n, syntax=s) for n, s in enumerate((EXPLICIT, DEFLATED))]
    files += [dicom_file(n, syntax=s, pixels=FLAT) for n, s in enumerate((RLE, JPEG, J2K))]
    taken = 0
    for number in range(60):
        hurt = bytearray(files[number % 5])
        for _ in range(int(random.integers(1, 6))):
            hurt[int(random.integers(132, min(len(hurt), 1500)))] = int(random.integers(256))
        answer, _ = done(work, bytes(hurt))
        taken += bool(answer["studies"])
        assert answer["studies"] or answer["status"] == 422
        assert "DOE" not in str(answer) and "MRN" not in str(answer)
    assert 0 < taken < 60


def test_frames_of_a_clip_are_decoded_only_where_they_are_shown(work):
    frames = np.stack([gradient() + n for n in range(40)])
    data = dicom_file(pixels=frames[0], NumberOfFrames=40, PixelData=frames.tobytes())
    answer, blobs = done(work, data, images=4)
    (series,) = answer["studies"][0]["series"]
    assert [one["frame"] for one in series["images"]] == [6, 16, 26, 36] and len(blobs) == 4
    assert series["num_frames"] == 40


def test_clean_files_are_made_only_where_they_are_kept(work):
    assert "files" not in done(work, dicom_file())[0]["studies"][0]["series"][0]
    answer, blobs = done(work, dicom_file(), images=0, keep=True)
    (series,) = answer["studies"][0]["series"]
    assert series["images"] == [] and blobs[series["files"][0]["blob"]][128:132] == b"DICM"


def test_overlays_are_left_out_and_said(work):
    from identities import Planted

    answer, _ = done(work, dicom_file(planted=Planted([])))
    assert answer["studies"][0]["series"][0]["notes"] == ["overlay planes are left out"]


def test_two_studies_of_one_patient_are_told_apart_by_their_distance(work):
    now, prior = dicom_file(0, StudyDate="20200110"), dicom_file(2, StudyDate="20200103")
    answer, _ = done(work, *multipart([prior, now]))
    assert [one["days_before_latest"] for one in answer["studies"]] == [0, 7]
    assert len({one["patient"] for one in answer["studies"]}) == 1


def test_a_film_that_asks_for_ct_windows_keeps_its_own(work):
    own, _ = done(work, dicom_file(WindowCenter=2000, WindowWidth=4000))
    asked, _ = done(work, dicom_file(WindowCenter=2000, WindowWidth=4000), window="lung")
    sha = [answer["studies"][0]["series"][0]["images"][0]["sha256"] for answer in (own, asked)]
    assert sha[0] == sha[1]
