"""Drafts as FHIR R4."""

import base64
import copy

import pytest

from osler.core.errors import InputError
from osler.serve.studies.draft import NOT_VERIFIED, Patient, as_text
from osler.serve.studies.fhir import as_fhir, check_report
from studies_draft import DRAFT, MADE


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
