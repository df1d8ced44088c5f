"""Words without a person: what the study's header names, then what rules recognise, each replaced by its kind.

Rules find what has a form (dates, numbers, addresses, titled names). A bare name that no header gives has none: it is
found only where its surroundings give it away, which is why unseeded reports are best held back (see `unknown_names`).
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from osler.media.deid_identity import Identity
from osler.media.deid_rules import AMBIGUOUS, KNOWN_WORDS, NAME_PARTS_LEFT_OUT, RULES

_MIN_ID_CHARS = 4
_MIN_PART_CHARS = 2
_SEPARATORS = r"[\s\-_./]{0,2}"
_MERGED = re.compile(r"\[NAME\](?:(?:[\s,.\-]|\b(?-i:[A-Z])\b\.?){1,4}\[NAME\])+")
_BARE_INITIAL = re.compile(r"(?:\b[A-Z]\.\s?){1,3}(?=\[NAME\])|(?<=\[NAME\])(?:,?\s[A-Z]\b\.?(?=[\s,.;)]|$)){1,2}")
_CAPITALISED = re.compile(r"(?<![.!?:\n]\s)(?<!^)\b([A-Z][a-z]{2,}|[A-Z]\.)\s+([A-Z][a-z]{2,})\b")


@dataclass(frozen=True)
class Scrubbed:
    """A text with placeholders such as `[NAME]`, and how many there are of each kind."""

    text: str = field(repr=False)
    counts: dict[str, int]


def scrub(text: str, identity: Identity | None = None, *, rules: bool = True) -> Scrubbed:
    """`text` without what `identity` names and without what has the form of an identifier.

    Args:
        text: a report.
        identity: of its patient, from the headers; None where there is none.
        rules: apply the rules too. Without them only the header's own strings go.
    """
    spans: list[tuple[int, int, str]] = []
    folded = _folded(text)
    for kind, pattern in _seeds(identity) if identity else ():
        spans += [(*found.span(), kind) for found in pattern.finditer(folded) if _is_meant(text, found)]
    if rules:
        for kind, pattern in RULES:
            spans += [
                (*found.span(kind if kind in pattern.groupindex else 0), kind) for found in pattern.finditer(text)
            ]
    out = _replaced(text, spans)
    out = _MERGED.sub("[NAME]", _BARE_INITIAL.sub("", out))
    kinds = sorted({kind for _, _, kind in spans})
    return Scrubbed(out, {kind: n for kind in kinds if (n := out.count(f"[{kind}]"))})


def unknown_names(text: str) -> int:
    """How many pairs of capitalised words stand in the middle of a sentence and are no words that reports use.

    A crude sign of a name that nothing gave away; a report with any can be held back.
    """
    pairs = _CAPITALISED.finditer(text)
    return sum(not {pair[1].lower(), pair[2].lower()} & KNOWN_WORDS for pair in pairs)


def _seeds(identity: Identity) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Patterns for folded text."""
    for person in sorted(identity.persons):
        yield from (("NAME", pattern) for pattern in _person(person))
    for place in sorted(identity.places, key=len, reverse=True):
        if len(place) >= _MIN_ID_CHARS:
            yield "PLACE", _loose(re.split(r"[\s,;]+", place), r"[\s,;]+")
    for number in sorted(identity.ids | identity.contacts, key=len, reverse=True):
        characters = re.sub(r"[^0-9a-z]", "", _folded(number)).lstrip("0")
        kind = "PHONE" if number in identity.contacts else "ID"
        digits = max(re.findall(r"\d+", characters), key=len, default="").lstrip("0")
        for core in {characters, digits if len(digits) > _MIN_ID_CHARS else ""}:
            if len(core) >= _MIN_ID_CHARS:
                yield kind, _loose(list(core), _SEPARATORS, before="0*")
    for day in sorted(identity.dates):
        yield "DATE", re.compile("|".join(rf"(?<!\d){re.escape(form)}(?!\d)" for form in date_forms(day)))


def date_forms(day: date) -> list[str]:
    """A date as people and machines write it, in lower case, longer forms first."""
    name = _MONTHS[day.month - 1]
    forms: set[str] = set()
    years = (f"{day.year:04d}", f"{day.year % 100:02d}")
    for year in years:
        for d in {f"{day.day:02d}", str(day.day)}:
            for m in {f"{day.month:02d}", str(day.month)}:
                forms |= {sep.join(order) for sep in "/-." for order in ((year, m, d), (m, d, year), (d, m, year))}
            for month in (name, name[:3]):
                forms |= {f"{month} {d}, {year}", f"{month} {d} {year}", f"{d} {month} {year}", f"{d}-{month}-{year}"}
    forms |= {f"{day:%Y%m%d}", f"{day:%m%d%Y}", f"{day:%d%m%Y}"}
    return sorted(forms, key=lambda form: (-len(form), form))


_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


def _person(person: str) -> Iterator[re.Pattern[str]]:
    """Each part of a name alone, the parts run together, and its initials."""
    groups = [group for group in re.split(r"[=]", _folded(person)) if group]
    for group in groups:
        parts = [part for part in re.split(r"[\^\s,]+", group) if re.search(r"\w", part)]
        words = [part for part in parts if part.strip(".") not in NAME_PARTS_LEFT_OUT]
        for part in words:
            letters = [piece for piece in re.split(r"[^\w]+", part) if piece]
            if len("".join(letters)) >= _MIN_PART_CHARS:
                yield _loose(letters, r"[\s\-'’.]?", after="(?:'?s)?")
        if len(words) >= 2:
            run = "".join(re.sub(r"\W", "", part) for part in words[:2])
            yield re.compile(rf"\b{re.escape(run)}\b")
            given, family = words[1][0], words[0][0]
            for first, last in ((given, family), (family, given)):
                yield re.compile(rf"\b{re.escape(first)}\.\s?{re.escape(last)}\.")


def _loose(pieces: list[str], between: str, *, before: str = "", after: str = "") -> re.Pattern[str]:
    joined = between.join(re.escape(_folded(piece)) for piece in pieces if piece)
    return re.compile(rf"(?<!\w){before}{joined}{after}(?!\w)")


def _is_meant(text: str, found: re.Match[str]) -> bool:
    """A name that is also a word ("long", "white") counts only where it is written with a capital letter."""
    written = text[found.start() : found.end()]
    word = found.group().removesuffix("'s")
    return not ((word in AMBIGUOUS or len(word) <= 3) and word.isalpha() and written.islower())


def _folded(text: str) -> str:
    """Lower case without accents, of the same length: place n is place n of `text`."""
    return "".join(map(_folded_character, text))


def _folded_character(character: str) -> str:
    if character.isascii():
        return character.lower()
    base = unicodedata.normalize("NFKD", character)[:1].lower()
    return base if len(base) == 1 else character


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    """Overlapping spans become one, called after the longest of them, and after the first given of equal ones."""
    merged: list[tuple[int, int, str, int]] = []
    for start, end, kind in sorted((span for span in spans if span[0] < span[1]), key=lambda span: span[0]):
        if merged and start < merged[-1][1]:
            begin, stop, name, length = merged[-1]
            longest = (kind, end - start) if end - start > length else (name, length)
            merged[-1] = (begin, max(stop, end), *longest)
        else:
            merged.append((start, end, kind, end - start))
    pieces, at = [], 0
    for start, end, kind, _ in merged:
        pieces += [text[at:start], f"[{kind}]"]
        at = end
    return "".join([*pieces, text[at:]])
