"""DICOM SR: a draft as an Enhanced SR of template 2000 (Basic Diagnostic Imaging Report), partial and unverified.

highdicom builds the object; it is loaded on first use.
"""

import io
import uuid
import warnings
from datetime import datetime
from typing import Any

from osler.core.errors import InputError
from osler.media.dicom import load_pydicom
from osler.serve.studies.draft import NOT_VERIFIED, Draft, Seen

_SERIES_NUMBER = 9901
_DESCRIPTION = "AI draft report, not verified"
_LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch"}
_SECTIONS = {
    "Findings": (("121070", "Findings"), ("121071", "Finding")),
    "Impression": (("121072", "Impressions"), ("121073", "Impression")),
}


def as_sr(draft: Draft, made: datetime) -> bytes:
    """The draft as a DICOM file: Preliminary Flag PRELIMINARY, Completion Flag PARTIAL, Verification Flag UNVERIFIED.

    Raises:
        InputError: highdicom is not installed.
    """
    sr = _load_highdicom()
    evidence = [_evidence(draft, seen) for seen in draft.seen]
    with warnings.catch_warnings(action="ignore"):
        document = sr.EnhancedSR(
            evidence=evidence,
            content=_content(sr, draft),
            series_instance_uid=_new_uid(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=_new_uid(),
            instance_number=1,
            manufacturer="Osler",
            is_complete=False,
            is_final=False,
            is_verified=False,
            series_description=_DESCRIPTION,
        )
        document.ContentDate, document.ContentTime = made.strftime("%Y%m%d"), made.strftime("%H%M%S")
        document.TimezoneOffsetFromUTC = "+0000"
        document.SpecificCharacterSet = "ISO_IR 192"
        document.CompletionFlagDescription = _DESCRIPTION
        buffer = io.BytesIO()
        document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _content(sr: Any, draft: Draft) -> Any:
    relation = sr.RelationshipTypeValues
    root = sr.ContainerContentItem(
        name=sr.CodedConcept("18748-4", "LN", "Diagnostic Imaging Report"), template_id="2000"
    )
    language = _LANGUAGES.get(draft.language.partition("-")[0], draft.language)
    items = [
        sr.CodeContentItem(
            name=_dcm(sr, "121049", "Language of Content Item and Descendants"),
            value=sr.CodedConcept(draft.language, "RFC5646", language),
            relationship_type=relation.HAS_CONCEPT_MOD,
        ),
        sr.CodeContentItem(
            name=_dcm(sr, "121005", "Observer Type"),
            value=_dcm(sr, "121007", "Device"),
            relationship_type=relation.HAS_OBS_CONTEXT,
        ),
        sr.UIDRefContentItem(
            name=_dcm(sr, "121012", "Device Observer UID"),
            value=_device_uid(draft),
            relationship_type=relation.HAS_OBS_CONTEXT,
        ),
        sr.TextContentItem(
            name=_dcm(sr, "121013", "Device Observer Name"),
            value=f"osler {draft.model}",
            relationship_type=relation.HAS_OBS_CONTEXT,
        ),
        sr.TextContentItem(name=_dcm(sr, "121106", "Comment"), value=NOT_VERIFIED, relationship_type=relation.CONTAINS),
        *(_section(sr, head, words) for head, words in draft.sections()),
        _images(sr, draft),
    ]
    root.ContentSequence = sr.ContentSequence(items)
    return root


def _section(sr: Any, head: str, words: str) -> Any:
    outer, inner = _SECTIONS[head]
    contains = sr.RelationshipTypeValues.CONTAINS
    section = sr.ContainerContentItem(name=_dcm(sr, *outer), relationship_type=contains)
    text = sr.TextContentItem(name=_dcm(sr, *inner), value=words, relationship_type=contains)
    section.ContentSequence = sr.ContentSequence([text])
    return section


def _images(sr: Any, draft: Draft) -> Any:
    contains = sr.RelationshipTypeValues.CONTAINS
    section = sr.ContainerContentItem(name=_dcm(sr, "121180", "Key Images"), relationship_type=contains)
    section.ContentSequence = sr.ContentSequence(
        [
            sr.ImageContentItem(
                name=sr.CodedConcept("260753009", "SCT", "Source"),
                referenced_sop_class_uid=seen.class_uid,
                referenced_sop_instance_uid=seen.instance_uid,
                relationship_type=contains,
            )
            for seen in draft.seen
        ]
    )
    return section


def _dcm(sr: Any, code: str, words: str) -> Any:
    return sr.CodedConcept(code, "DCM", words)


def _evidence(draft: Draft, seen: Seen) -> Any:
    """What highdicom copies of an instance that was looked at."""
    dataset = load_pydicom().Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = seen.class_uid, seen.instance_uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = draft.study_uid, seen.series_uid
    dataset.PatientID, dataset.PatientName = draft.patient.id, draft.patient.name
    dataset.PatientBirthDate, dataset.PatientSex = draft.patient.birth_date, draft.patient.sex
    dataset.AccessionNumber, dataset.StudyDate = draft.accession, draft.study_date
    dataset.StudyID = dataset.StudyTime = dataset.ReferringPhysicianName = ""
    return dataset


def _device_uid(draft: Draft) -> str:
    """The same for the same model and weights."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'{draft.model} {draft.bundle_sha256}').int}"


def _new_uid() -> str:
    return f"2.25.{uuid.uuid4().int}"


def _load_highdicom() -> Any:
    try:
        import highdicom.sr
    except ModuleNotFoundError as error:
        raise InputError("DICOM SR needs the package 'highdicom'", fix="pip install 'osler[pacs]'") from error
    return highdicom.sr
