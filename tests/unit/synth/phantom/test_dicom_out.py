import io

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")

from osler.synth.phantom.dicom_out import study_dicom  # noqa: E402
from osler.synth.phantom.film import draw_film  # noqa: E402
from osler.synth.phantom.patient import make_patient  # noqa: E402

PATIENT = make_patient(4, 11)
VISIT = PATIENT.visits[0]
FILM = draw_film(4, PATIENT, VISIT, image_px=64)


def read(data):
    return pydicom.dcmread(io.BytesIO(data))


def test_the_file_shows_the_film_with_an_invented_identity():
    dataset = read(study_dicom(4, PATIENT, VISIT, film=FILM))
    np.testing.assert_array_equal(dataset.pixel_array, FILM.pixels)
    assert str(dataset.PatientName) == PATIENT.name
    assert dataset.PatientBirthDate == PATIENT.born.strftime("%Y%m%d")
    assert dataset.StudyDate == VISIT.taken.strftime("%Y%m%d")
    assert dataset.ViewPosition == VISIT.view
    assert dataset.PatientID != PATIENT.id and dataset.InstitutionName and dataset.AccessionNumber


def test_the_bytes_follow_from_seed_and_patient_alone():
    assert study_dicom(4, PATIENT, VISIT, film=FILM) == study_dicom(4, PATIENT, VISIT, film=FILM)
    other = read(study_dicom(5, PATIENT, VISIT, film=FILM))
    assert other.StudyInstanceUID != read(study_dicom(4, PATIENT, VISIT, film=FILM)).StudyInstanceUID


def test_studies_of_a_patient_share_its_number_and_nothing_else():
    patient = next(p for p in (make_patient(4, n) for n in range(50)) if len(p.visits) > 1)
    first, second = (
        read(study_dicom(4, patient, visit, film=draw_film(4, patient, visit, image_px=48)))
        for visit in patient.visits[:2]
    )
    assert first.PatientID == second.PatientID
    assert first.StudyInstanceUID != second.StudyInstanceUID and first.AccessionNumber != second.AccessionNumber
