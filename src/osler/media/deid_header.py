"""A DICOM header without a person: the standard's profile, then everything goes that is not on our own list.

dicom-anonymizer knows the attributes of PS3.15 table E.1-1 and takes them out; the pass after it builds a new header
out of `deid_tags.ALLOWED` only, at every depth, so private groups, overlays, curves and unlisted text have no way in.
"""

import math
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from osler.core.errors import InputError
from osler.media.deid_identity import parsed_date
from osler.media.deid_key import Pseudonyms
from osler.media.deid_tags import ALLOWED, METHODS, STAMPS, Numbers, Rule, Words
from osler.media.dicom import load_pydicom

Times = Literal["none", "hour", "keep"]
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)?([0-5]\d)?(\.\d{1,6})?")
_AGE = re.compile(r"(\d{3})([DWMY])")
_OLDEST_YEARS = 90
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Subject:
    """Whose instance it is, in pseudonyms."""

    patient: str
    study: str
    series: str
    instance: str


def subject_of(dataset: Any, names: Pseudonyms) -> Subject:
    """The pseudonyms of an instance. One without a patient's number counts as its study's own patient.

    Raises:
        InputError: it has no study, series or instance number, so nothing says what it belongs to.
    """
    uids = [str(dataset.get(k) or "").strip() for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
    if not all(uids):
        raise InputError("it does not say which study, series and instance it is")
    number, issuer = (str(dataset.get(k) or "").strip() for k in ("PatientID", "IssuerOfPatientID"))
    patient = names.token("patient", issuer, number) if number else names.token("patient", "of study", uids[0])
    return Subject(patient, *(names.token(kind, uid) for kind, uid in zip(_LEVELS, uids, strict=True)))


_LEVELS = ("study", "series", "instance")


def clean_header(dataset: Any, subject: Subject, names: Pseudonyms, *, times: Times, pixels_checked: bool) -> Any:
    """A new dataset with what may stay of `dataset`, which is used up. It has no pixels and no file meta yet.

    Args:
        dataset: as read.
        subject: from `subject_of`; becomes patient's name, patient's number, study number.
        names: remaps UIDs and shifts dates.
        times: clock times go, are cut to the hour, or stay.
        pixels_checked: the pixels were searched for text, which is stamped.
    """
    pydicom = load_pydicom()
    apply_profile(dataset)
    clean = _allowed(dataset, _Values(names, names.shift(subject.patient), times), depth=0)
    clean.SpecificCharacterSet = "ISO_IR 192"
    clean.PatientName = clean.PatientID = subject.patient
    clean.StudyID = ""
    clean.AccessionNumber = clean.ReferringPhysicianName = clean.PatientBirthDate = ""
    for keyword, value in STAMPS.items():
        setattr(clean, keyword, value)
    methods = {code: words for code, words in METHODS.items() if pixels_checked or code != "113101"}
    clean.DeidentificationMethod = ["DICOM PS3.15 Basic Profile", "Osler allow-list"]
    clean.DeidentificationMethodCodeSequence = [_code(pydicom, code, words) for code, words in methods.items()]
    if pixels_checked:
        clean.BurnedInAnnotation = "NO"
    return clean


def apply_profile(dataset: Any) -> None:
    """Take out what the standard's Basic Profile names, but for the elements that are rewritten later on.

    Everything it names is deleted rather than replaced: its replacements are random and would differ from run to run.
    """
    profile, tables = load_profile()
    ours = {tag_of(keyword) for keyword in ALLOWED}
    named = tables.dicom_anonymization_database_selector("dicomfields_2024b")["ALL_TAGS"]
    rules = {tag: profile.delete for tag in named if tuple(tag) not in ours and tag[0] != 0x0002}
    profile.anonymize_dataset(dataset, base_rules_gen=lambda: rules)


def load_profile() -> tuple[Any, Any]:
    """dicom-anonymizer's actions and its tables, or an InputError that names the extra which brings it."""
    try:
        from dicomanonymizer import dicomfields_selector, simpledicomanonymizer
    except ModuleNotFoundError as error:
        raise InputError(
            "de-identification needs the package 'dicom-anonymizer'", fix="pip install 'osler[deid]'"
        ) from error
    return simpledicomanonymizer, dicomfields_selector


def tag_of(keyword: str) -> tuple[int, int]:
    """Group and element of a keyword of the DICOM dictionary."""
    from pydicom.tag import Tag

    tag = Tag(keyword)
    return tag.group, tag.element


@dataclass(frozen=True)
class _Values:
    """How the value of an allowed element is written. None means that it goes."""

    names: Pseudonyms
    shift: timedelta
    times: Times

    def of(self, element: Any, rule: Rule) -> Any:
        values = _listed(element)
        if not values:
            return None
        if isinstance(rule, Words):
            words = [str(value).strip() for value in values]
            return words if len(words) <= rule.most and rule.known.issuperset(words) else None
        if isinstance(rule, Numbers):
            return _numbers(values, rule)
        single = str(values[0]).strip()
        return getattr(self, rule)(single) if len(values) == 1 else None

    def uid(self, value: str) -> str:
        return self.names.uid(value)

    def class_uid(self, value: str) -> str | None:
        from pydicom.uid import UID_dictionary

        return value if value in UID_dictionary else None

    def date(self, value: str) -> str | None:
        day = parsed_date(value) if len(value.replace(".", "").strip()) == 8 else None
        return _shifted(day, self.shift) if day else None

    def time(self, value: str) -> str | None:
        found = _TIME.fullmatch(value.replace(":", ""))
        if found is None or self.times == "none":
            return None
        return f"{found[1]}0000" if self.times == "hour" else found[0]

    def datetime(self, value: str) -> str | None:
        day = self.date(value[:8])
        clock = self.time(re.split(r"[+-]", value[8:])[0]) if value[8:] else None
        return f"{day}{clock or ''}" if day else None

    def age(self, value: str) -> str | None:
        found = _AGE.fullmatch(value)
        if found is None:
            return None
        return f"{_OLDEST_YEARS:03d}Y" if found[2] == "Y" and int(found[1]) >= _OLDEST_YEARS else value


def _allowed(dataset: Any, values: _Values, *, depth: int) -> Any:
    pydicom = load_pydicom()
    clean = pydicom.Dataset()
    for keyword, rule in ALLOWED.items():
        if keyword not in dataset:
            continue
        element = dataset[keyword]
        if rule == "items":
            if element.VR == "SQ" and depth < _MAX_DEPTH:
                items = [_allowed(item, values, depth=depth + 1) for item in element.value]
                setattr(clean, keyword, items)
            continue
        value = values.of(element, rule)
        if value is not None:
            setattr(clean, keyword, value)
    return clean


def _listed(element: Any) -> list[Any]:
    value = element.value
    if value is None or isinstance(value, bytes) or element.VR == "SQ" or value == "":
        return []
    return [value] if isinstance(value, str) or element.VM == 1 else list(value)


def _numbers(values: list[Any], rule: Numbers) -> Any:
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        return None
    if len(numbers) > rule.most or not all(math.isfinite(n) and rule.low <= n <= rule.high for n in numbers):
        return None
    if rule.whole and any(n != int(n) for n in numbers):
        return None
    # A decimal string holds at most 16 characters; %.10g is shorter and exact for what scanners write.
    written = [int(n) if rule.whole else float(f"{n:.10g}") for n in numbers]
    return written if len(written) > 1 else written[0]


def _shifted(day: date, shift: timedelta) -> str | None:
    try:
        return (day + shift).strftime("%Y%m%d")
    except OverflowError:
        return None


def _code(pydicom: Any, code: str, words: str) -> Any:
    item = pydicom.Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, "DCM", words[:64]
    return item
