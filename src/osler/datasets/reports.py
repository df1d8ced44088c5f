"""Radiology reports as free text: their sections, and why one cannot serve as a target."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

# Ways in which headings are spelled, by the section that they open. Longer spellings come before their beginnings.
_SPELLINGS = {
    "findings_impression": (
        r"FINDINGS?\s*(?:AND|/|&|,)\s*IMPRESSIONS?",
        r"IMPRESSIONS?\s*(?:AND|/|&|,)\s*FINDINGS?",
    ),
    "preliminary": (r"PROVISIONAL FINDINGS IMPRESSION(?: \(PFI\))?", "WET READ(?: VERSION.*)?", "PRELIMINARY REPORT"),
    "addendum": ("FINAL ADDENDUM", "ADDENDUM"),
    "examination": (r"TYPE OF EXAM(?:INATION)?", "EXAMINATIONS?", "EXAM", "STUDY"),
    "indication": (
        "(?:CLINICAL )?INDICATIONS?(?: FOR (?:THE )?(?:STUDY|EXAM(?:INATION)?))?",
        r"REASON FOR (?:THE )?(?:EXAM(?:INATION)?|STUDY)",
    ),
    "history": ("(?:CLINICAL |PATIENT )?HISTORY", "CLINICAL INFORMATION"),
    "technique": ("TECHNIQUES?",),
    "comparison": (r"COMPARISONS?(?: (?:STUDY|EXAMS?|RADIOGRAPHS?))?",),
    "findings": ("FINDINGS?",),
    "impression": ("IMPRESSIONS?", "CONCLUSIONS?"),
    "recommendation": (r"RECOMMENDATIONS?", r"RECOMMENDATION\(S\)"),
    "notification": ("NOTIFICATIONS?",),
}
_WORDS = "|".join(spelling for spellings in _SPELLINGS.values() for spelling in spellings)
_HEADING = re.compile(
    # Most places are passed by a short look ahead: a colon on the line, or three capitals.
    rf"^[ \t]*(?=[A-Za-z][^\n:]{{3,60}}:)(?P<line>(?i:{_WORDS}))[ \t]*:"  # at the start of a line, in any case
    rf"|(?=[A-Z]{{3}})(?<![A-Za-z])(?:(?P<inside>{_WORDS})[ \t]*:|(?P<final>FINAL REPORT)(?![A-Za-z]))"
    rf"|^[ \t]*(?=[A-Z]{{3}})(?P<alone>{_WORDS})[ \t]*$"  # a line of its own, in capitals
    r"|^[ \t]*(?P<views>[A-Z][A-Z0-9 ,()/&_-]*?(?:CHEST|VIEW|RADIOGRAPH|FILM)[A-Z0-9 ,()/&_-]*):",
    re.MULTILINE,
)
_RULE = re.compile(r"_{6,}")
_WORD = re.compile(r"[A-Za-z]{2}")
_TARGETS = frozenset({"findings", "impression", "findings_impression"})
_FINDINGS_FROM = ("findings", "findings_impression", "views")

NO_REPORT = "the study has no report"
_NEITHER = "the report has neither findings nor impression"


@dataclass(frozen=True)
class Report:
    """A report's sections by name, their lines joined.

    A section that has a heading and no words is there as "". Names: examination, indication, history, technique,
    comparison, findings, impression, findings_impression (one section for both), views (words below a heading that
    only names the views), recommendation, notification, preliminary, addendum; `start` is what no heading opens.
    """

    sections: Mapping[str, str]

    @property
    def findings_from(self) -> str:
        """The section that holds the findings; where none is theirs, one for both, or the words below the views."""
        return next((name for name in _FINDINGS_FROM if has_words(self.sections.get(name, ""))), "")

    @property
    def findings(self) -> str:
        """What was seen; "" where the report does not say."""
        return self.sections.get(self.findings_from, "")

    @property
    def impression(self) -> str:
        """What it means; "" where the report does not say so in a section of its own."""
        text = self.sections.get("impression", "")
        return text if has_words(text) else ""

    @property
    def indication(self) -> str:
        """Why the study was made: the indication, else the history; "" where neither is given."""
        given = (self.sections.get(name, "") for name in ("indication", "history"))
        return next((text for text in given if has_words(text)), "")

    @property
    def why_no_findings(self) -> str:
        """The reason why findings cannot be the target; "" where they can."""
        if self.findings:
            return ""
        if not self.impression:
            return _NEITHER
        is_empty = "findings" in self.sections
        return "the findings of the report are empty" if is_empty else "the report has an impression but no findings"

    @property
    def why_no_impression(self) -> str:
        """The reason why an impression cannot be asked for from the findings; "" where it can."""
        if self.impression:
            return self.why_no_findings
        if has_words(self.sections.get("findings_impression", "")):
            return "the report has findings and impression in one section"
        if not self.findings:
            return _NEITHER
        is_empty = "impression" in self.sections
        return "the impression of the report is empty" if is_empty else "the report has findings but no impression"


def parse_report(text: str) -> Report:
    """The sections of a report.

    Sections of one name are joined in order. A preliminary read or an addendum lasts to the words FINAL REPORT; where
    these do not follow, to the next heading, or to the end where findings or an impression came before it. Headings
    inside the findings that name an organ or the views stay in their text. De-identified words (`___`) are kept;
    longer lines of underscores are rules between parts and go.
    """
    parts: dict[str, list[str]] = {}
    name, start, aside_end = "start", 0, 0
    finals = [match.start() for match in _HEADING.finditer(text) if match["final"]]
    for match in _HEADING.finditer(text):
        opened = _section(match)
        if match.start() < aside_end or (opened == "views" and (name in _TARGETS or name == "views")):
            continue
        parts.setdefault(name, []).append(text[start : match.start()])
        name, start = opened, match.end()
        if opened in ("preliminary", "addendum"):
            after = next((place for place in finals if place > match.start()), None)
            aside_end = after if after is not None else len(text) if _TARGETS & parts.keys() else 0
    parts.setdefault(name, []).append(text[start:])
    return Report({name: joined(" ".join(texts)) for name, texts in parts.items()})


def joined(text: str) -> str:
    """The text in one line, without rules of underscores."""
    return " ".join(_RULE.sub(" ", text).split())


def has_words(text: str) -> bool:
    """Whether anything is said besides what was taken out to hide who is meant (`___`, `XXXX`)."""
    return bool(_WORD.search(text.replace("XXXX", "")))


def _section(match: re.Match[str]) -> str:
    if match["final"]:
        return "start"
    if match["views"]:
        return "views"
    return _section_of(match["line"] or match["inside"] or match["alone"])


@lru_cache(maxsize=256)
def _section_of(heading: str) -> str:
    words = " ".join(heading.upper().split())
    return next(name for name, ways in _SPELLINGS.items() if any(re.fullmatch(way, words) for way in ways))
