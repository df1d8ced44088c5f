"""Draft: what a model wrote about a study, and as text. Every form says that nobody has verified it."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from osler.core.config import Config

NOT_VERIFIED = (
    "DRAFT WRITTEN BY AI, NOT VERIFIED. Research use only; not a medical device. A physician must read the images."
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 50_000

Uid = Annotated[str, StringConstraints(pattern=r"^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$", max_length=64)]
Text = Annotated[str, StringConstraints(max_length=_LONGEST)]
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f\\]*$")]
Day = Annotated[str, StringConstraints(pattern=r"^(\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))?$")]


class Patient(Config):
    """Whose study it is: a pseudonym from an upload, or the person, where a caller in the hospital says who.

    birth_date: YYYYMMDD. name: as DICOM writes it, `DOE^JANE`.
    """

    id: Annotated[Line, Field(min_length=1, max_length=64)]
    name: Annotated[Line, Field(max_length=64)] = ""
    birth_date: Day = ""
    sex: Annotated[str, StringConstraints(pattern=r"^[MFO]?$")] = ""


class Seen(Config):
    """An instance that the model was shown."""

    class_uid: Uid
    instance_uid: Uid
    series_uid: Uid


class Draft(Config):
    """A draft report. At least one of `findings` and `impression` has words.

    study_date: YYYYMMDD. language: as RFC 5646 has it. bundle_sha256: of the weights that wrote it.
    """

    model: Annotated[Line, Field(min_length=1)]
    patient: Patient
    study_uid: Uid
    findings: Text = ""
    impression: Text = ""
    seen: Annotated[tuple[Seen, ...], Field(min_length=1, max_length=256)]
    accession: Annotated[Line, Field(max_length=16)] = ""
    study_date: Day = ""
    modality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{0,16}$")] = ""
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    bundle_sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""

    def sections(self) -> list[tuple[str, str]]:
        """The headings that have words, without characters that no document may hold."""
        found = (("Findings", self.findings), ("Impression", self.impression))
        return [(head, words) for head, text in found if (words := _UNPRINTABLE.sub("", text).strip())]


def now() -> datetime:
    """In UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def as_text(draft: Draft, made: datetime) -> str:
    """The draft as plain text: the mark first and last, so that neither end can be cut off unseen."""
    head = [NOT_VERIFIED, "", f"Model: {draft.model}", f"Made: {made.isoformat()}"]
    body = [line for name, words in draft.sections() for line in ("", name.upper(), words)]
    return "\n".join([*head, *body, "", NOT_VERIFIED, ""])
