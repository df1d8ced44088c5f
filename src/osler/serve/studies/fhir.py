"""FHIR R4: a draft as a preliminary DiagnosticReport, and a check of the shape that R4 demands.

Libraries of FHIR models let any word stand where a value set is required, so the sets are checked here
(hl7.org/fhir/R4/diagnosticreport.html, imagingstudy.html).
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any, Final
from uuid import UUID, uuid5

from osler.core.errors import InputError
from osler.serve.studies.draft import NOT_VERIFIED, Draft, as_text

MEDIA_TYPE: Final = "application/fhir+json; fhirVersion=4.0"
_URN_UID = "urn:dicom:uid"
_NAMES = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
_TERMS = "http://terminology.hl7.org/CodeSystem"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REPORT_STATUS = _words(
    "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
)
_STUDY_STATUS = _words("registered available cancelled entered-in-error unknown")
_NARRATIVE_STATUS = _words("generated extensions additional empty")
_GENDER = _words("male female other unknown")
_REPORT_FIELDS = _words(
    "resourceType id meta implicitRules language text contained extension modifierExtension identifier basedOn status "
    "category code subject encounter effectiveDateTime effectivePeriod issued performer resultsInterpreter specimen "
    "result imagingStudy media conclusion conclusionCode presentedForm"
)
_STUDY_FIELDS = _words(
    "resourceType id identifier status modality subject started numberOfSeries numberOfInstances series"
)
_DRAFT_STATUS = "preliminary"


def as_fhir(draft: Draft, made: datetime) -> dict[str, Any]:
    """The draft as a DiagnosticReport of R4 with the patient, the study and the device as contained resources."""
    text = as_text(draft, made)
    html = "".join(f"<p><b>{escape(name)}</b><br/>{escape(words)}</p>" for name, words in draft.sections())
    report: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": str(uuid5(_NAMES, f"{draft.study_uid} {draft.model} {made.isoformat()}")),
        "meta": {"security": [{"system": f"{_TERMS}/v3-ObservationValue", "code": "AIAST"}]},
        "language": draft.language,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(NOT_VERIFIED)}</p>{html}</div>',
        },
        "contained": [_patient(draft), _study(draft), _device(draft)],
        "status": _DRAFT_STATUS,
        "category": [{"coding": [{"system": f"{_TERMS}/v2-0074", "code": "RAD", "display": "Radiology"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"}],
            "text": "AI draft report, not verified",
        },
        "subject": {"reference": "#patient"},
        "issued": made.isoformat(),
        "performer": [{"display": f"osler {draft.model}"}],
        "imagingStudy": [{"reference": "#study"}],
        "conclusion": f"{NOT_VERIFIED}\n{draft.impression or draft.findings}".strip(),
        "presentedForm": [
            {
                "contentType": "text/plain; charset=utf-8",
                "language": draft.language,
                "data": base64.b64encode(text.encode()).decode("ascii"),
                "title": "AI draft report, not verified",
            }
        ],
    }
    check_report(report)
    return report


def check_report(report: Mapping[str, Any]) -> None:
    """That a DiagnosticReport has R4's elements, and words of the value sets that R4 requires.

    Raises:
        InputError: an element of another version of FHIR, one that is missing, or a word of no value set.
    """
    if report.get("resourceType") != "DiagnosticReport":
        raise InputError("not a DiagnosticReport")
    _known("DiagnosticReport", report, _REPORT_FIELDS, ("status", "code"))
    _one_of("DiagnosticReport.status", report["status"], _REPORT_STATUS)
    if "text" in report:
        _one_of("Narrative.status", report["text"].get("status"), _NARRATIVE_STATUS)
    for contained in report.get("contained", ()):
        if contained.get("resourceType") == "ImagingStudy":
            _known("ImagingStudy", contained, _STUDY_FIELDS, ("status", "subject"))
            _one_of("ImagingStudy.status", contained["status"], _STUDY_STATUS)
        if contained.get("resourceType") == "Patient" and "gender" in contained:
            _one_of("Patient.gender", contained["gender"], _GENDER)
    inside = {f"#{contained.get('id')}" for contained in report.get("contained", ())}
    for reference in _references(report):
        if reference.startswith("#") and reference not in inside:
            raise InputError("a reference to a resource that is not contained", got=reference)


def _known(name: str, resource: Mapping[str, Any], fields: frozenset[str], needed: tuple[str, ...]) -> None:
    unknown = sorted(set(resource) - fields)
    if unknown:
        raise InputError(f"{name} of FHIR R4 has no element {unknown[0]!r}")
    missing = [field for field in needed if not resource.get(field)]
    if missing:
        raise InputError(f"{name} of FHIR R4 needs the element {missing[0]!r}")


def _one_of(name: str, word: Any, words: frozenset[str]) -> None:
    if word not in words:
        raise InputError(f"{name} has no such word", expected=", ".join(sorted(words)), got=repr(word))


def _references(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [found for part in value.values() for found in _references(part)]
    return [found for part in value for found in _references(part)] if isinstance(value, (list, tuple)) else []


def _patient(draft: Draft) -> dict[str, Any]:
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "patient", "identifier": [{"value": draft.patient.id}]}
    if draft.patient.name:
        family, _, given = draft.patient.name.partition("^")
        name = {"family": family, "given": [part for part in given.split("^") if part]}
        patient["name"] = [{key: value for key, value in name.items() if value}]
    if draft.patient.sex:
        patient["gender"] = {"M": "male", "F": "female", "O": "other"}[draft.patient.sex]
    if draft.patient.birth_date:
        patient["birthDate"] = _day(draft.patient.birth_date)
    return patient


def _study(draft: Draft) -> dict[str, Any]:
    series: dict[str, list[dict[str, Any]]] = {}
    for seen in draft.seen:
        sop = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{seen.class_uid}"}
        series.setdefault(seen.series_uid, []).append({"uid": seen.instance_uid, "sopClass": sop})
    modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": draft.modality or "OT"}
    study: dict[str, Any] = {
        "resourceType": "ImagingStudy",
        "id": "study",
        "identifier": [{"system": _URN_UID, "value": f"urn:oid:{draft.study_uid}"}],
        "status": "available",
        "subject": {"reference": "#patient"},
        "numberOfSeries": len(series),
        "numberOfInstances": len(draft.seen),
        "series": [{"uid": uid, "modality": modality, "instance": list(found)} for uid, found in series.items()],
    }
    if draft.accession:
        kind = {"coding": [{"system": f"{_TERMS}/v2-0203", "code": "ACSN"}]}
        study["identifier"].append({"type": kind, "value": draft.accession})
    if draft.study_date:
        study["started"] = _day(draft.study_date)
    return study


def _device(draft: Draft) -> dict[str, Any]:
    name = [{"name": f"osler {draft.model}", "type": "model-name"}]
    device: dict[str, Any] = {"resourceType": "Device", "id": "device", "deviceName": name}
    if draft.bundle_sha256:
        device["identifier"] = [{"system": "urn:osler:bundle-sha256", "value": draft.bundle_sha256}]
    return device


def _day(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
