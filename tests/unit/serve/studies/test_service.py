"""Drafts as text, FHIR R4 and DICOM SR, and put into the patient's own study."""

import base64
import copy
import io
from datetime import UTC, datetime

import pydicom
import pytest

from osler.core.errors import InputError
from osler.media.deid_key import Pseudonyms
from osler.serve.studies.draft import NOT_VERIFIED, Draft, Patient, Seen, as_text
from osler.serve.studies.fhir import as_fhir, check_report
from osler.serve.studies.filing import Handles, filed, told_studies
from osler.serve.studies.structured import as_sr

MADE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CT = "1.2.840.10008.5.1.4.1.1.2"
NAMES = Pseudonyms(bytes(range(64)))
DRAFT = Draft(
    model="toy",
    patient=Patient(id="p-1"),
    study_uid="2.25.7",
    findings="Heart <normal> & lungs clear.\x0b\nÜ",
    impression="No effusion.",
    seen=(Seen(class_uid=CT, instance_uid="2.25.1", series_uid="2.25.3"),),
    modality="CT",
)


def test_the_text_begins_and_ends_with_the_mark():
    text = as_text(DRAFT, MADE)
    assert text.startswith(NOT_VERIFIED) and text.rstrip().endswith(NOT_VERIFIED)
    assert "\nFINDINGS\nHeart <normal> & lungs clear.\nÜ\n" in text and "\nIMPRESSION\nNo effusion.\n" in text
    assert "\x0b" not in text and "IMPRESSION" not in as_text(DRAFT.model_copy(update={"impression": " "}), MADE)


@pytest.mark.parametrize(
    "change",
    [
        {"study_uid": "1.2.x"}, {"study_uid": "1." + "2" * 64}, {"study_uid": "1.02"}, {"seen": ()}, {"model": ""},
        {"model": "a\nb"}, {"patient": {"id": ""}}, {"patient": {"id": "a", "sex": "X"}}, {"accession": "1\\2"},
        {"study_date": "20261301"}, {"language": "english"}, {"findings": "x" * 50_001}, {"verified": True},
        {"bundle_sha256": "zz"},
    ],
)  # fmt: skip
def test_a_draft_of_another_form_is_refused(change):
    with pytest.raises(InputError):
        Draft.parse({**DRAFT.model_dump(mode="json"), **change})


def test_fhir_is_a_preliminary_report_of_r4():
    report = as_fhir(DRAFT, MADE)
    assert (report["status"], report["issued"]) == ("preliminary", "2026-03-04T05:06:07+00:00")
    assert "imagingStudy" in report and "study" not in report and "resultsInterpreter" not in report
    assert base64.b64decode(report["presentedForm"][0]["data"]).decode() == as_text(DRAFT, MADE)
    assert "Heart &lt;normal&gt; &amp; lungs" in report["text"]["div"] and NOT_VERIFIED in report["conclusion"]
    assert report["meta"]["security"][0]["code"] == "AIAST"
    study = next(one for one in report["contained"] if one["resourceType"] == "ImagingStudy")
    assert study["identifier"][0] == {"system": "urn:dicom:uid", "value": "urn:oid:2.25.7"}
    assert as_fhir(DRAFT, MADE) == report


def test_fhir_is_what_a_library_of_r4_reads():
    resources = pytest.importorskip("fhir.resources.R4B.diagnosticreport")
    full = DRAFT.model_copy(
        update={
            "patient": Patient(id="M1", name="DOE^JANE^Q", birth_date="19260102", sex="F"),
            "accession": "A1", "study_date": "20190305", "bundle_sha256": "a" * 64,
        }
    )  # fmt: skip
    read = resources.DiagnosticReport.model_validate(as_fhir(full, MADE))
    assert [type(one).__name__ for one in read.contained] == ["Patient", "ImagingStudy", "Device"]
    assert read.contained[0].name[0].given == ["JANE", "Q"] and str(read.contained[0].birthDate) == "1926-01-02"
    assert str(read.contained[1].started) == "2019-03-05" and read.contained[2].deviceName[0].type == "model-name"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "bogus"}, "DiagnosticReport.status has no such word; expected amended, .*got 'bogus'"),
        ({"status": None}, "needs the element 'status'"),
        ({"code": None}, "needs the element 'code'"),
        ({"study": []}, "R4 has no element 'study'"),
        ({"supportingInfo": []}, "R4 has no element 'supportingInfo'"),
        ({"text": {"status": "made", "div": "x"}}, "Narrative.status"),
        ({"resourceType": "Observation"}, "not a DiagnosticReport"),
        ({"subject": {"reference": "#nobody"}}, "not contained"),
    ],
)
def test_words_of_no_value_set_and_elements_of_other_versions_are_refused(change, message):
    report = {**as_fhir(DRAFT, MADE), **change}
    with pytest.raises(InputError, match=message):
        check_report(report)


def test_the_contained_study_and_patient_are_checked_too():
    for kind, field, word in (
        ("ImagingStudy", "status", "bogus"),
        ("ImagingStudy", "subject", None),
        ("Patient", "gender", "F"),
    ):
        report = copy.deepcopy(as_fhir(DRAFT, MADE))
        next(one for one in report["contained"] if one["resourceType"] == kind)[field] = word
        with pytest.raises(InputError):
            check_report(report)


def test_sr_says_that_nobody_has_verified_it():
    document = pydicom.dcmread(io.BytesIO(as_sr(DRAFT, MADE)))
    assert (document.PreliminaryFlag, document.CompletionFlag, document.VerificationFlag) == (
        "PRELIMINARY", "PARTIAL", "UNVERIFIED",
    )  # fmt: skip
    assert document.Modality == "SR" and document.SeriesDescription == "AI draft report, not verified"
    assert (document.StudyInstanceUID, document.PatientID) == ("2.25.7", "p-1")
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "2000"
    words = " ".join(str(element.value) for element in document.iterall() if element.VR == "UT")
    assert NOT_VERIFIED in words and "lungs clear" in words and "No effusion." in words
    evidence = document.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.1"


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
    draft = filed(blind(), Told(original()), "1.5", NAMES)
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
        filed(draft, archive, "1.5", NAMES)


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
