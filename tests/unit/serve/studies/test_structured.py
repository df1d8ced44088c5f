"""Drafts as DICOM SR."""

import io

import pydicom

from osler.serve.studies.draft import NOT_VERIFIED
from osler.serve.studies.structured import as_sr
from studies_draft import DRAFT, MADE


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
