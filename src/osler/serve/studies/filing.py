"""Filing: a draft put into the patient's own study in the archive.

What a model is shown has no identity, so a draft has none either. The archive knows whose study it is: its header is
read once more when the draft is sent, and is in memory only until then.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from osler.core.errors import InputError
from osler.media.deid_identity import parsed_date
from osler.media.deid_key import Pseudonyms
from osler.serve.studies.dicomweb import DicomWeb
from osler.serve.studies.draft import Draft, Patient, Seen

_MOST_HANDLES = 1000
_HOUR_S = 3600.0


@dataclass
class Handles:
    """Which study of which archive a pseudonym stands for; in memory, for an hour, the latest thousand."""

    names: Pseudonyms = field(repr=False)
    clock: Callable[[], float] = time.monotonic
    _held: OrderedDict[tuple[str, str], tuple[str, float]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def give(self, archive: str, study_uid: str) -> str:
        """The pseudonym of a study, remembered."""
        token = self.names.token("study", study_uid)
        with self._lock:
            self._held.pop((archive, token), None)
            self._held[archive, token] = study_uid, self.clock() + _HOUR_S
            while len(self._held) > _MOST_HANDLES:
                self._held.popitem(last=False)
        return token

    def study_uid(self, archive: str, token: str) -> str:
        """The study that a pseudonym stands for. Raises InputError where it is not known (any more)."""
        with self._lock:
            uid, until = self._held.get((archive, token), ("", 0.0))
        if not uid or until < self.clock():
            raise InputError("a study that was not searched for in the last hour", fix="Search for it again.")
        return uid


def told_studies(found: Sequence[Any], archive: str, handles: Handles) -> list[dict[str, Any]]:
    """What QIDO-RS found, without identity: pseudonym, modalities, numbers, and how long before the latest of them."""
    days = [parsed_date(str(one.get("StudyDate") or "")) for one in found]
    latest = max([day for day in days if day], default=None)
    rows = []
    for one, day in zip(found, days, strict=True):
        uid = str(one.get("StudyInstanceUID") or "")
        if not uid:
            continue
        modalities = one.get("ModalitiesInStudy") or []
        listed = [modalities] if isinstance(modalities, str) else list(modalities)
        rows.append(
            {
                "study": handles.give(archive, uid),
                "modalities": sorted({str(word) for word in listed if str(word).isalpha() and len(str(word)) <= 4}),
                "num_series": int(one.get("NumberOfStudyRelatedSeries") or 0),
                "num_instances": int(one.get("NumberOfStudyRelatedInstances") or 0),
                "days_before_latest": (latest - day).days if latest and day else None,
            }
        )
    return rows


def filed(draft: Draft, archive: DicomWeb, study_uid: str, names: Pseudonyms) -> Draft:
    """The same draft in the name of the study's patient, about the instances as the archive numbers them.

    Raises:
        InputError: the draft is about another study, or saw an instance that is not in it.
        ArchiveError: the archive does not say.
    """
    headers = archive.headers(study_uid)
    originals = {names.uid(str(one.SOPInstanceUID)): one for one in headers if "SOPInstanceUID" in one}
    if draft.study_uid != names.uid(study_uid):
        raise InputError(
            "the draft is about another study", fix="Pull the study, and send the draft that was made of it."
        )
    if not headers or not all(seen.instance_uid in originals for seen in draft.seen):
        raise InputError("the draft saw an instance that this study does not have (any more)", fix="Pull it again.")
    first = headers[0]
    shown = [originals[seen.instance_uid] for seen in draft.seen]
    return draft.model_copy(
        update={
            "patient": Patient(
                id=_word(first, "PatientID") or "unknown",
                name=_word(first, "PatientName"),
                birth_date=_day(first, "PatientBirthDate"),
                sex=_word(first, "PatientSex") if _word(first, "PatientSex") in {"M", "F", "O"} else "",
            ),
            "study_uid": study_uid,
            "accession": _word(first, "AccessionNumber")[:16],
            "study_date": _day(first, "StudyDate"),
            "seen": tuple(
                Seen(
                    class_uid=str(one.SOPClassUID),
                    instance_uid=str(one.SOPInstanceUID),
                    series_uid=str(one.SeriesInstanceUID),
                )
                for one in shown
            ),
        }
    )


def _word(header: Any, keyword: str) -> str:
    text = "".join(one for one in str(header.get(keyword) or "") if one.isprintable() and one != "\\")
    return text.strip()[:64]


def _day(header: Any, keyword: str) -> str:
    day = parsed_date(str(header.get(keyword) or ""))
    return day.strftime("%Y%m%d") if day else ""
