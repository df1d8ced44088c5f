"""Texts of patient-trial matching: a note cut into sentences, and eligibility criteria cleaned into lists."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SHORT_LINE = 60
# Words whose full stop does not end a sentence, whatever comes after it.
_ABBREVIATION = re.compile(
    r"(?:dr|mr|mrs|ms|prof|st|jr|sr|vs|v|e\.g|i\.e|y\.o|yo|y/o|h/o|c/o|s/p|r/o|w/o|hx|dx|rx|tx|fx|sx|wt|ht|pts?|figs?"
    r"|approx|temp|resp|ca|cf|incl|max|min|avg|dept|univ|mt|ext|int)\."
)
# After an abbreviation of single letters (`p.o.`, `a.m.`) these words begin a new sentence; others go on with the old.
_STARTER = re.compile(
    r"he|she|they|it|his|her|their|the|this|that|these|there|on|in|at|after|before|during|since|upon|patient|pt|physical"
    r"|past|family|social|vital|labs|laboratory|no|we|you|while|when|however"
)
_END = re.compile(r"[.!?]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9<>≥≤+])")
_LETTERS = re.compile(r"(?:[A-Za-z]\.){2,}")
_MARKDOWN = re.compile(r"\\([<>\[\]*_#~^-])")

_HEADING = re.compile(
    r"(?P<before>(?:[\w/&,:()-]+\s+){0,6}?)(?P<kind>inclusion|exclusion|eligibility)\s+criteri(?:a|on)\b"
    r"(?P<after>[^:.;]{0,50}?)\s*(?P<end>:|$)(?P<rest>.*)",
    re.IGNORECASE,
)
_PLAIN_HEADING = re.compile(
    r"(?:the\s+|key\s+|main\s+|major\s+|general\s+|principal\s+|primary\s+|patient\s+)*"
    r"(?:inclusion|exclusion|eligibility)\s+criteria(?:\s+(?:include|includes|are|is|comprise|comprises))?",
    re.IGNORECASE,
)
_INLINE_HEADING = re.compile(r"(?<=[.;])\s+(?=(?:INCLUSION|EXCLUSION) CRITERIA\b|(?:Inclusion|Exclusion) [Cc]riteria:)")
_HEADING_THEN_NUMBER = re.compile(r"((?:INCLUSION|EXCLUSION) CRITERIA)(?=\s+(?:\d+[.)]|[-•*])\s)")
_BULLET = re.compile(
    r"(?:[-*•·◦▪■●–—]+|o(?=\s)|\(?\d{1,2}(?:\.\d{1,2})*[.)]|\(?[A-Za-z]\)|[a-z]\.|\(?(?:i{1,3}|iv|vi{0,3}|ix|x)[.)])(?:\s+|$)"
    r"|[-*•·▪■●](?=[A-Za-z])"
)
_NOTHING = re.compile(
    r"(?:none|n/?a|nil|not (?:specified|applicable|available|provided)|unspecified|\W*)\W*", re.IGNORECASE
)


@dataclass(frozen=True)
class Criteria:
    """What a trial asks for, forbids, and says without telling which of the two."""

    inclusion: tuple[str, ...] = ()
    exclusion: tuple[str, ...] = ()
    general: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.inclusion or self.exclusion or self.general)

    def shown(self) -> str:
        """The lists that are not empty, each below its heading, one criterion a line."""
        lists = (("Inclusion", self.inclusion), ("Exclusion", self.exclusion), ("Eligibility", self.general))
        return "\n\n".join(
            "\n".join([f"{name} criteria:", *(f"- {c}" for c in found)]) for name, found in lists if found
        )


def numbered_note(note: str) -> str:
    """The sentences of a note, one a line, counted from 0."""
    return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences(note)))


def sentences(text: str) -> list[str]:
    """A clinical note's sentences, in order, with all their words.

    A full stop ends none in a decimal, after a title or a clinical abbreviation (`Dr.`, `y.o.`), or after the number
    of a list's item. A line break ends one after a short line that the next does not visibly go on with.
    """
    return [sentence for line in _lines(text) for sentence in _of_line(line)]


def clean_criteria(text: str, section: str = "general") -> Criteria:
    """Criteria out of their published text: under their headings, without bullets, one a string, no empty ones.

    Args:
        text: as registered: headings, bullets or numbers, lines broken to a width.
        section: where criteria before the first heading belong: `inclusion`, `exclusion`, `general`.
    """
    found: dict[str, list[str]] = {"inclusion": [], "exclusion": [], "general": []}
    for words, is_heading in _blocks(_unescaped(text)):
        if is_heading:
            section = _kind(words)
            if not _PLAIN_HEADING.fullmatch(words):
                found[section].append(f"{words}:")
            continue
        found[section] += [item for item in _numbered(words) if not _NOTHING.fullmatch(item)]
    return Criteria(*(tuple(found[name]) for name in ("inclusion", "exclusion", "general")))


def merged(first: Criteria, second: Criteria) -> Criteria:
    """The criteria of both, those of `first` before those of `second`."""
    return Criteria(
        first.inclusion + second.inclusion, first.exclusion + second.exclusion, first.general + second.general
    )


def _lines(text: str) -> list[str]:
    """The text with breaks left only where one ends a sentence."""
    lines: list[str] = []
    is_open = False
    for raw in text.splitlines():
        line = " ".join(raw.split())
        goes_on = bool(line) and is_open and (line[0].islower() or len(lines[-1]) >= _SHORT_LINE)
        if goes_on:
            lines[-1] = f"{lines[-1]} {line}"
        elif line:
            lines.append(line)
        is_open = bool(line) and line[-1] not in ".!?:"
    return lines


def _of_line(line: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(line):
        if not _goes_on(line[start : match.end()].strip(), line[match.end() :]):
            yield line[start : match.end()].strip()
            start = match.end()
    if line[start:].strip():
        yield line[start:].strip()


def _goes_on(before: str, after: str) -> bool:
    """Whether the full stop at the end of `before` belongs to its last word."""
    *earlier, last = before.split()
    word = last.lstrip("\"'“‘([").lower()
    follower = re.match(r"\W*(\w+)", after)
    follower_word = follower.group(1) if follower else ""
    starts = _STARTER.fullmatch(follower_word.lower()) is not None
    if _ABBREVIATION.fullmatch(word):
        return True
    if word == "no.":
        return follower_word[:1].isdigit()
    if _LETTERS.fullmatch(word):
        return not starts
    if re.fullmatch(r"\d{1,2}\.", word):
        return not earlier
    is_initial = re.fullmatch(r"[a-z]\.", word) is not None and last.lstrip("([")[0].isupper()
    return is_initial and bool(earlier) and earlier[-1][0].isupper() and not starts


def _unescaped(text: str) -> str:
    """Without the escapes of HTML and of the registry's markdown; headings inside a line get their own."""
    plain = _MARKDOWN.sub(r"\1", html.unescape(text))
    return _HEADING_THEN_NUMBER.sub(r"\1:", _INLINE_HEADING.sub("\n\n", plain))


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """Criteria and headings in order, lines joined; the flag says which."""
    held: list[str] = []
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for number, line in enumerate(lines):
        bullet = _BULLET.match(line)
        words = line[bullet.end() :] if bullet else line
        heading = _heading(words, alone=not any(lines[number + 1 : number + 2]), first=not held or bool(bullet))
        if held and (heading or bullet or not line):
            yield " ".join(held), False
            held = []
        if heading:
            yield heading[0], True
            words = heading[1]
        if words:
            held.append(f"{bullet.group().strip()} {words}" if bullet and bullet.group()[0] == "1" else words)
    if held:
        yield " ".join(held), False


def _heading(words: str, *, alone: bool, first: bool) -> tuple[str, str] | None:
    """A heading's words and what follows it on its line. Without a colon it must have its paragraph to itself."""
    if "riteri" not in words and "RITERI" not in words:
        return None
    match = _HEADING.match(words)
    if match is None or (match["before"] and not first) or (not match["end"] and not (alone and first)):
        return None
    heading = words[: match.start("end")].strip()
    return heading, match["rest"].strip()


def _kind(heading: str) -> str:
    match = _HEADING.match(heading)
    kind = match["kind"].lower() if match else "eligibility"
    return "general" if kind == "eligibility" else kind


def _numbered(words: str) -> list[str]:
    """The items of a list that runs on in one paragraph (`1. ... 2. ...`), or the paragraph as its only item."""
    first = re.match(r"1(?P<mark>[.)])\s+", words)
    if first is None:
        return [words[m.end() :] if (m := _BULLET.match(words)) else words]
    items, start, number = [], first.end(), 2
    while (at := words.find(f" {number}{first['mark']} ", start)) >= 0:
        items.append(words[start:at].strip())
        start, number = at + len(f" {number}{first['mark']} "), number + 1
    return [*items, words[start:].strip()]
