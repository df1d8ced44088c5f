"""Reports without persons: the headers of a report's patient say which names, numbers and dates to remove."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.media.deid import header_identity
from osler.media.deid_header import subject_of
from osler.media.deid_identity import Identity, merged
from osler.media.deid_key import Pseudonyms
from osler.media.deid_residue import Search, identity_strings
from osler.media.deid_text import scrub, unknown_names

_KEYS = ("study_uid", "accession", "patient_id")


@dataclass
class People:
    """Who is in the headers of a folder, in memory only.

    studies: the study's pseudonym by (kind of key, its value); several where a number is used again.
    patient_of: a study's patient. identities: by patient, all that any of the patient's headers says.
    """

    studies: dict[tuple[str, str], set[str]] = field(default_factory=dict, repr=False)
    patient_of: dict[str, str] = field(default_factory=dict, repr=False)
    identities: dict[str, Identity] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class CleanReports:
    """texts: by the study's pseudonym. held_back: rows as in `held_back.jsonl`. counts: placeholders of each kind."""

    texts: dict[str, str] = field(repr=False)
    held_back: list[dict[str, Any]]
    counts: dict[str, int]


def read_people(files: Iterable[Path], names: Pseudonyms) -> People:
    """The headers of all files but those that are no DICOM or cannot be read: the instances' own pass counts them."""
    people = People()
    for path in files:
        try:
            found = header_identity(path.read_bytes())
        except OSError:  # its message names the file; the instances' own pass counts it without
            continue
        if found is None:
            continue
        dataset, identity = found
        try:
            subject = subject_of(dataset, names)
        except InputError:
            continue
        people.patient_of[subject.study] = subject.patient
        known = people.identities.get(subject.patient, Identity())
        people.identities[subject.patient] = merged([known, identity])
        for kind, keyword in zip(_KEYS, ("StudyInstanceUID", "AccessionNumber", "PatientID"), strict=True):
            value = str(dataset.get(keyword) or "").strip()
            if value:
                people.studies.setdefault((kind, value), set()).add(subject.study)
    return people


def read_reports(path: Path) -> Iterator[dict[str, str] | None]:
    """The rows of a `.jsonl` or `.csv` file; None for one that cannot be read.

    Raises:
        InputError: another suffix, or the first row has no text or no key.
    """
    rows = _csv_rows(path) if path.suffix == ".csv" else _json_rows(path) if path.suffix == ".jsonl" else None
    if rows is None:
        raise InputError("the reports are in a file of another kind", expected=".jsonl or .csv", got=path.suffix)
    for number, row in enumerate(rows):
        good = isinstance(row, dict) and isinstance(row.get("text"), str) and any(row.get(key) for key in _KEYS)
        if number == 0 and not good:
            raise InputError("the first report has other fields", expected=f"text and one of {', '.join(_KEYS)}")
        yield {k: str(v) for k, v in row.items() if v is not None} if good else None


def clean_reports(rows: Iterable[dict[str, str] | None], people: People, *, allow_unknown_names: bool) -> CleanReports:
    """Scrub reports by the headers of their patient and by the rules.

    Held back are a report that cannot be read, one without exactly one study here, and one in which a header's string
    is left. Several reports of a study become one text.
    """
    texts: dict[str, str] = {}
    held: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for number, row in enumerate(rows):
        study, reason = _study(row, people)
        if row is None or reason:
            held.append({"report": number, "reason": reason})
            continue
        identity = people.identities[people.patient_of[study]]
        scrubbed = scrub(row["text"], identity)
        if Search(identity_strings(identity)).numbers(scrubbed.text.encode()):
            held.append({"report": number, "reason": "residue in the report"})
        elif not allow_unknown_names and unknown_names(scrubbed.text):
            held.append({"report": number, "reason": "report with unknown names"})
        else:
            texts[study] = "\n\n".join(filter(None, [texts.get(study, ""), scrubbed.text.strip()]))
            counts.update(scrubbed.counts)
    return CleanReports(texts, held, dict(sorted(counts.items())))


def _study(row: dict[str, str] | None, people: People) -> tuple[str, str]:
    if row is None:
        return "", "report cannot be read"
    for kind in _KEYS:
        value = row.get(kind, "").strip()
        found = people.studies.get((kind, value), set()) if value else set()
        if len(found) == 1:
            return next(iter(found)), ""
        if len(found) > 1:
            return "", "report of several studies"
    return "", "report without a study"


def _json_rows(path: Path) -> Iterator[Any]:
    with existing_file(path).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                yield None


def _csv_rows(path: Path) -> Iterator[Any]:
    with existing_file(path).open(encoding="utf-8", errors="replace", newline="") as file:
        yield from csv.DictReader(file)
