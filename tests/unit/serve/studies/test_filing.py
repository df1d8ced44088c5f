"""Drafts put into the patient's own study."""

import pydicom
import pytest

from osler.core.errors import InputError
from osler.serve.studies.draft import Patient, Seen
from osler.serve.studies.filing import Handles, filed, told_studies
from studies_draft import CT, DRAFT, NAMES


class Told:
    """An archive that tells headers."""

    def __init__(self, *headers):
        self._headers = list(headers)

    def headers(self, study_uid):
        return self._headers


def original(**elements):
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID = CT, "1.5.1", "1.5.2"
    dataset.PatientName, dataset.PatientID, dataset.StudyDate = "DOE^JANE", "MRN1", "20190305"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.AccessionNumber = "19260102", "F", "ACC1"
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def blind(**change):
    seen = Seen(class_uid=CT, instance_uid=NAMES.uid("1.5.1"), series_uid=NAMES.uid("1.5.2"))
    return DRAFT.model_copy(update={"study_uid": NAMES.uid("1.5"), "seen": (seen,), **change})


def test_a_draft_goes_into_the_study_of_its_patient():
    draft = filed(blind(), Told(original()), "1.5", names=NAMES)
    assert draft.patient == Patient(id="MRN1", name="DOE^JANE", birth_date="19260102", sex="F")
    assert (draft.study_uid, draft.accession, draft.study_date) == ("1.5", "ACC1", "20190305")
    assert draft.seen == (Seen(class_uid=CT, instance_uid="1.5.1", series_uid="1.5.2"),)
    assert draft.findings == DRAFT.findings


@pytest.mark.parametrize(
    ("draft", "archive", "message"),
    [
        (blind(study_uid="2.25.9"), Told(original()), "another study"),
        (blind(), Told(), "does not have"),
        (blind(), Told(original(SOPInstanceUID="1.5.9")), "does not have"),
    ],
)
def test_a_draft_about_something_else_is_not_sent(draft, archive, message):
    with pytest.raises(InputError, match=message):
        filed(draft, archive, "1.5", names=NAMES)


def test_what_a_search_tells_has_no_identity():
    handles = Handles(NAMES, clock=lambda: 5.0)
    found = [
        original(StudyInstanceUID="1.5", ModalitiesInStudy=["CT", "JANE DOE"]),
        original(StudyInstanceUID="1.6", StudyDate="20190301"),
    ]
    rows = told_studies(found, "pacs", handles)
    assert [row["days_before_latest"] for row in rows] == [0, 4] and rows[0]["modalities"] == ["CT"]
    assert not any(word in str(rows) for word in ("DOE", "MRN1", "ACC1", "2019", "1.5"))
    assert handles.study_uid("pacs", rows[0]["study"]) == "1.5"


def test_handles_end():
    now = [0.0]
    handles = Handles(NAMES, clock=lambda: now[0])
    token = handles.give("pacs", "1.5")
    with pytest.raises(InputError, match="not searched for"):
        handles.study_uid("other", token)
    now[0] = 3601
    with pytest.raises(InputError, match="Search for it again"):
        handles.study_uid("pacs", token)
    now[0] = 0
    for number in range(1001):
        handles.give("pacs", f"1.9.{number}")
    with pytest.raises(InputError):
        handles.study_uid("pacs", token)
