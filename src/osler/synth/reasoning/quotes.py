"""Quotes: whether words that a model says it copied really stand in the source, and where."""

import re
import unicodedata
from typing import NamedTuple

_DASHES = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-")
_SINGLE = dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u0060\u00b4", "'")
_DOUBLE = dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"')
_SAME = {**_DASHES, **_SINGLE, **_DOUBLE}
_AROUND = " \"'"
_WORD = re.compile(r"\w+")


class Span(NamedTuple):
    """Where a quote stands: `source[start:end]` are its words as the source writes them."""

    start: int
    end: int


def find_quote(quote: str, source: str) -> Span | None:
    """The first place of `quote` in `source`, whole words in the same order with nothing left out; None without one.

    Case, white space, kinds of dashes and quotation marks, and Unicode compatibility forms (NFKD) count as the same.
    """
    wanted, _ = _folded(quote)
    wanted = wanted.strip(_AROUND)
    text, places = _folded(source)
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        end = at + len(wanted)
        if _is_edge(text, at) and _is_edge(text, end):
            return Span(places[at], places[end - 1] + 1)
        at = text.find(wanted, at + 1)
    return None


def num_words(text: str) -> int:
    """How many words a text has."""
    return len(_WORD.findall(text))


def _is_edge(text: str, at: int) -> bool:
    """Whether no word is cut between the characters before and at `at`."""
    return not (0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum())


def _folded(text: str) -> tuple[str, list[int]]:
    """`text` in the form in which it is compared, and for each of its characters where it comes from."""
    folded: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        if unicodedata.category(char) == "Cf":
            continue  # soft hyphens and marks of width zero are not seen
        for part in unicodedata.normalize("NFKD", _SAME.get(char, char)).casefold():
            part = _SAME.get(part, part)
            if part.isspace():
                if folded and folded[-1] == " ":
                    continue
                part = " "
            folded.append(part)
            places.append(place)
    return "".join(folded), places
