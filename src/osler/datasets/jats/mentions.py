"""Where the text points to figures: references in any markup, to several figures at once, and over ranges."""

import re
from collections.abc import Iterator
from typing import Any, Literal

from osler.core.errors import InputError
from osler.datasets.jats.figures import Place
from osler.datasets.jats.sections import Outline, home_of
from osler.datasets.jats.types import Mention
from osler.datasets.jats.words import Span, name_of, read_words

_INLINE = frozenset(
    {"bold", "italic", "sup", "sub", "sc", "underline", "overline", "monospace", "roman", "sans-serif", "strike"}
    | {"xref", "named-content", "styled-content", "ext-link", "fixed-case", "abbrev", "inline-supplementary-material"}
)
_DASH = re.compile(r"\s*[-\u2010\u2011\u2012\u2013\u2212]\s*")
_WORD = re.compile(r"\s*(?:to|through)\s*")
_PLURAL = re.compile(r"fig(?:ure)?s\b", re.IGNORECASE)
# Beyond these a file is damaged or means harm: no article points so often, and no range of figures is so long.
_MAX_MENTIONS = 100_000
_MAX_RANGE = 50
_NUMBER = re.compile(r"(\d+)[a-z]?\b", re.IGNORECASE)


def find_mentions(parts: list[Any], places: list[Place], outline: Outline) -> tuple[dict[int, list[Mention]], int]:
    """The mentions of each figure by its place in `places`, and how many references point at no figure of the file.

    A reference counts by what it points to, whatever kind it says it is. One in a figure's own caption does not.
    A reference to a fig-group is one to each of its figures. Raises InputError where there are absurdly many.
    """
    targets: dict[str, list[int]] = {}
    for number, place in enumerate(places):
        for anchor in place.anchors:
            targets.setdefault(anchor, []).append(number)
    blocks: dict[Any, list[Any]] = {}
    num_dangling = 0
    for reference in (found for part in parts for found in part.iter("xref")):
        rids = (reference.get("rid") or "").split()
        if any(rid in targets for rid in rids):
            blocks.setdefault(_block(reference), []).append(reference)
        num_dangling += reference.get("ref-type") == "fig" and any(rid not in targets for rid in rids)
    found: dict[int, list[Mention]] = {}
    num_found = 0
    labels = _numbered(places)
    numbers = {place.element: number for number, place in enumerate(places)}
    for block, references in blocks.items():
        text, spans = read_words(block, set(references))
        home, is_text = home_of(block)
        kind = _kind(block, is_text)
        section = outline.numbers.get(home, -1) if kind == "paragraph" else -1
        own = {numbers[element] for element in block.iterancestors() if element in numbers}
        for number, start, end, in_range in _pointed(text, spans, targets, labels):
            num_found += 1
            if num_found > _MAX_MENTIONS:
                raise InputError(f"too large: more than {_MAX_MENTIONS:,} mentions of figures")
            if number not in own:
                mention = Mention(
                    text=text,
                    start=start,
                    end=end,
                    section=outline.titles(home),
                    section_number=section,
                    place=kind,
                    in_range=in_range,
                )
                found.setdefault(number, []).append(mention)
    return found, num_dangling


def _pointed(
    text: str, spans: list[Span], targets: dict[str, list[int]], labels: dict[int, int]
) -> Iterator[tuple[int, int, int, bool]]:
    """Each figure pointed to: its number, start and end of the words, whether it only lies between two ends."""
    before: tuple[int, int, int] | None = None
    for element, start, end in sorted(spans, key=lambda span: span[1:]):
        numbers = [n for rid in dict.fromkeys(element.get("rid").split()) for n in targets.get(rid, ())]
        if before is not None and len(numbers) == 1:
            last, begun, ended = before
            if _is_range(text[begun:ended], text[ended:start], text[start:end]):
                yield from ((n, begun, end, True) for n in _between(last, numbers[0], labels))
        for number in dict.fromkeys(numbers):
            yield number, start, end, False
        before = (numbers[0], start, end) if len(numbers) == 1 else None


def _is_range(first: str, between: str, second: str) -> bool:
    """Whether two references are the ends of a range: a dash between them, or "Figures 1" to "3".

    "From Figure 1 to Figure 3" is none: it may as well compare the two.
    """
    is_bare = second[:1].isdigit()
    return bool(_DASH.fullmatch(between) or (_WORD.fullmatch(between) and is_bare and _PLURAL.search(first)))


def _between(first: int, last: int, labels: dict[int, int]) -> list[int]:
    if first not in labels or last not in labels:
        return []
    if labels[last] - labels[first] > _MAX_RANGE:
        return []
    return [number for number, label in labels.items() if labels[first] < label < labels[last]]


def _numbered(places: list[Place]) -> dict[int, int]:
    """The label's number of each main figure that has one: 3 for "Figure 3."; appendix figures count on their own."""
    found = {}
    for number, place in enumerate(places):
        label = place.figure.label
        match = _NUMBER.search(label)
        if match and not place.figure.is_supplement and not re.search("appendix|scheme", label, re.IGNORECASE):
            found[number] = int(match[1])
    return found


def _block(reference: Any) -> Any:
    """The nearest element around a reference that is no mark-up within a line."""
    element = reference.getparent()
    while name_of(element) in _INLINE and element.getparent() is not None:
        element = element.getparent()
    return element


def _kind(block: Any, is_text: bool) -> Literal["paragraph", "caption", "other"]:
    if name_of(block) == "p" and is_text:
        return "paragraph"
    above = [block, *block.iterancestors()]
    return "caption" if any(name_of(element) == "caption" for element in above) else "other"
