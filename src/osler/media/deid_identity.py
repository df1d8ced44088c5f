"""Identity: the strings of a DICOM header that identify somebody, for the search in texts and in what is written.

It lives in memory only: no repr shows it, and nothing writes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

_IDS = """
AccessionNumber AdmissionID DetectorID DeviceSerialNumber FillerOrderNumberImagingServiceRequest
InsurancePlanIdentification IssuerOfPatientID MedicalRecordLocator OtherPatientIDs PatientID
PerformedProcedureStepID PlacerOrderNumberImagingServiceRequest PlateID RequestedProcedureID
ScheduledProcedureStepID ServiceEpisodeID StudyID
"""
_ID_KEYWORDS = frozenset(_IDS.split())
_PLACES = """
CountryOfResidence CurrentPatientLocation InstitutionAddress InstitutionName InstitutionalDepartmentName
PatientAddress PatientInstitutionResidence PerformedLocation PerformedStationName ReferringPhysicianAddress
RegionOfResidence RequestingService ScheduledStationName StationName
"""
_PLACE_KEYWORDS = frozenset(_PLACES.split())
_CONTACTS = """
OrderCallbackPhoneNumber PatientTelecomInformation PatientTelephoneNumbers PersonTelephoneNumbers
ReferringPhysicianTelephoneNumbers
"""
_CONTACT_KEYWORDS = frozenset(_CONTACTS.split())
_TEXT_PERSON_KEYWORDS = frozenset({"PatientMotherBirthName", "PatientBirthName", "OperatorsName"})


@dataclass(frozen=True)
class Identity:
    """What identifies in one study: persons as DICOM writes them (`DOE^JANE`), numbers, dates, places, contacts."""

    persons: frozenset[str] = field(default=frozenset(), repr=False)
    ids: frozenset[str] = field(default=frozenset(), repr=False)
    dates: frozenset[date] = field(default=frozenset(), repr=False)
    places: frozenset[str] = field(default=frozenset(), repr=False)
    contacts: frozenset[str] = field(default=frozenset(), repr=False)


def merged(identities: Iterable[Identity]) -> Identity:
    """All of several, such as of the instances of one patient."""
    held = list(identities)
    return Identity(*(frozenset().union(*(getattr(i, f.name) for i in held)) for f in fields(Identity)))


def identity_of(dataset: Any) -> Identity:
    """What a header says about persons, at any depth, private elements of type PN included.

    Args:
        dataset: a pydicom dataset. Reading its values may raise whatever pydicom raises on damage.
    """
    found: dict[str, set[Any]] = {f.name: set() for f in fields(Identity)}
    for element in dataset.iterall():
        kind = _kind(element)
        if kind is None:
            continue
        for value in _values(element):
            parsed = _parsed(kind, value)
            if parsed:
                found[kind].add(parsed)
    return Identity(**{name: frozenset(values) for name, values in found.items()})


def parsed_date(text: str) -> date | None:
    """A date of DICOM, of its old dotted form or at the head of a date-time; None where it is none."""
    digits = text.strip().replace(".", "").replace("-", "")[:8]
    try:
        return datetime.strptime(digits, "%Y%m%d").date() if len(digits) == 8 else None
    except ValueError:
        return None


def _kind(element: Any) -> str | None:
    if element.VR == "PN" or element.keyword in _TEXT_PERSON_KEYWORDS:
        return "persons"
    if element.VR in {"DA", "DT"}:
        return "dates"
    table = {"ids": _ID_KEYWORDS, "places": _PLACE_KEYWORDS, "contacts": _CONTACT_KEYWORDS}
    return next((kind for kind, keywords in table.items() if element.keyword in keywords), None)


def _values(element: Any) -> list[str]:
    if element.VR == "SQ" or element.value is None or isinstance(element.value, bytes):
        return []
    several = element.VM > 1 and not isinstance(element.value, str)
    return [str(value).strip() for value in (element.value if several else [element.value])]


def _parsed(kind: str, value: str) -> Any:
    return parsed_date(value) if kind == "dates" else value
