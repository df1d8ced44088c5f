"""Captions taken apart: which words belong to which panel label."""

import re
from dataclasses import dataclass
from typing import Literal

_BEFORE_OPENING = re.compile(
    r"(?:^|[.;:,!?\])]|\b(?:and|or|of|in|for|the|with|by|at|from|to|on|as|versus|vs|shows?|showing))\s*$", re.IGNORECASE
)
_DASH = "\u2013\u2014"
_ONE = r"[A-Za-z]"
_LIST = rf"{_ONE}(?:\s*(?:,|and|&|-|to|[{_DASH}])\s*{_ONE})*"
_STYLES = (
    re.compile(rf"\(\s*(?P<labels>{_LIST})\s*\)\s*:?"),
    re.compile(rf"(?<![\w(])(?P<labels>{_ONE}(?:\s*(?:,|and|&|-|[{_DASH}])\s*{_ONE})*)\)\s*"),
    re.compile(
        rf"(?:^|(?<=[.;:!?]\s))(?P<labels>[A-Z](?:\s*(?:,|and|&|-|[{_DASH}])\s*[A-Z])*)\s*[.:,]\s+(?=[A-Z0-9\"'(\[])",
        re.MULTILINE,
    ),
    re.compile(rf"(?:^|(?<=[.;:!?]\s))(?P<labels>[a-h](?:\s*(?:,|-|[{_DASH}])\s*[a-h])*)\s*[.:,]\s+", re.MULTILINE),
)
_PLACE = (
    r"(?:(?:upper|lower|top|bottom|middle|cent(?:re|er)|left|right)"
    r"(?:[\s-]+(?:left|right|cent(?:re|er)|row|panel|image|column))*)"
)
_WORDS = re.compile(
    rf"(?:^|(?<=[.;]\s))(?P<place>{_PLACE})\s*[:,]\s*|\(\s*(?P<inner>{_PLACE})\s*\)\s*:?", re.IGNORECASE
)


_Mark = tuple[re.Match[str], tuple[str, ...]]


@dataclass(frozen=True)
class Part:
    """What a caption says under one mark: its labels in lower case (`a`, `b`; or `top right`) and the words.

    No words where it cannot be told which are meant.
    """

    labels: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class CaptionParts:
    """A caption's words of no panel, and its parts in their order; no parts where it names no panel.

    kind: whether the parts go by letters or by places.
    """

    lead: str
    parts: tuple[Part, ...]
    kind: Literal["letters", "places"] = "letters"

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, each once, in the order of the caption."""
        return tuple(dict.fromkeys(label for part in self.parts for label in part.labels))


def caption_parts(caption: str) -> CaptionParts:
    """A caption cut at its panel labels: `(a)`, `(a, b)`, `(A-C)`, `a)`, `A.`, `B:`; or at words such as `Left:`.

    A style of label counts only if its letters are those from a on, none left out and at least two: a single `(T)`
    is no panel. Where the labels follow their words ("a smear (a) and a section (b)."), the words before each are its
    own. Of several styles the one with the most labels is taken.
    """
    best = CaptionParts(caption.strip(), ())
    for style in _STYLES:
        marks = [match for match in style.finditer(caption) if _expand(match["labels"])]
        marks = _consecutive(marks)
        found = _cut(caption, [(match, _expand(match["labels"])) for match in marks])
        if len(found.labels) > max(1, len(best.labels)):
            best = found
    return best if best.parts else _by_place(caption)


def _by_place(caption: str) -> CaptionParts:
    found = [(match, _place(match["place"] or match["inner"])) for match in _WORDS.finditer(caption)]
    marks: list[_Mark] = [(match, (place,)) for match, place in found if place]
    if len({place for _, place in marks}) < 2 or len({place for _, place in marks}) < len(marks):
        return CaptionParts(caption.strip(), ())
    cut = _cut(caption, marks)
    return CaptionParts(cut.lead, cut.parts, "places")


def _place(words: str) -> str:
    """The words in one form: `top left`, `right`, `middle`, in the order row, then column."""
    same = {"upper": "top", "lower": "bottom", "center": "middle", "centre": "middle"}
    named = [same.get(word, word) for word in re.split(r"[\s-]+", words.lower())]
    kept = [word for word in named if word in ("top", "bottom", "left", "right", "middle")]
    return " ".join(dict.fromkeys(kept))


def _expand(words: str) -> tuple[str, ...]:
    """`A-C, e` to a, b, c, e; nothing for what runs backwards."""
    labels: list[str] = []
    for item in re.split(r"\s*(?:,|\band\b|&)\s*", words.strip()):
        ends = re.split(rf"\s*(?:-|\bto\b|[{_DASH}])\s*", item.lower())
        if len(ends) > 2 or not all(re.fullmatch("[a-z]", end) for end in ends) or ends[0] > ends[-1]:
            return ()
        labels += [chr(code) for code in range(ord(ends[0]), ord(ends[-1]) + 1)]
    return tuple(labels)


def _consecutive(marks: list[re.Match[str]]) -> list[re.Match[str]]:
    """The marks whose labels go on from a without a gap; a label named again is a mention, not a mark."""
    kept, due = [], "a"
    for mark in marks:
        labels = _expand(mark["labels"])
        run = "".join(chr(ord(due) + step) for step in range(len(labels)))
        if "".join(labels) == run:
            kept.append(mark)
            due = chr(ord(labels[-1]) + 1)
    return kept


def _cut(caption: str, marks: list[_Mark]) -> CaptionParts:
    """The caption cut at its marks. Where some open their words and some close them, every part is left without."""
    if not marks:
        return CaptionParts(caption.strip(), ())
    opens = [_opens(caption, match) for match, _ in marks]
    if all(opens):
        stops = [*(match.start() for match, _ in marks[1:]), len(caption)]
        spans = [(match.end(), stop) for (match, _), stop in zip(marks, stops, strict=True)]
        lead = caption[: marks[0][0].start()]
    elif not any(opens) and re.match(r"\s*(?:[.;]|$)", caption[marks[-1][0].end() :]):
        starts = [0, *(match.end() for match, _ in marks[:-1])]
        spans = [(start, match.start()) for start, (match, _) in zip(starts, marks, strict=True)]
        lead = caption[marks[-1][0].end() :]
    else:
        spans, lead = [(0, 0)] * len(marks), caption
    parts = [Part(labels, _tidy(caption[start:stop])) for (_, labels), (start, stop) in zip(marks, spans, strict=True)]
    return CaptionParts(_tidy(lead), tuple(parts))


def _opens(caption: str, mark: re.Match[str]) -> bool:
    """Whether a mark stands before its words: only one in brackets may stand behind them."""
    return not mark[0].lstrip().startswith("(") or bool(_BEFORE_OPENING.search(caption[: mark.start()]))


def _tidy(text: str) -> str:
    text = re.sub(r"^(?:\s|[,;.:]|and\b)+|(?:\s|[,;:]|\band)+$", "", text.strip())
    return text.strip()
