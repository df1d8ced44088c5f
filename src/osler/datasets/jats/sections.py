"""The paragraphs of an article under their headings, and where in it an element stands."""

from dataclasses import dataclass, field
from typing import Any, Literal

from osler.datasets.jats.types import Section
from osler.datasets.jats.words import name_of, plain

PARTS = ("front", "body", "back", "floats-group", "floats-wrap")
_HOMES = frozenset({"sec", "app", "abstract", "trans-abstract", "ack", "body"})
# Paragraphs in here are no running text.
_APART = frozenset(
    {"fig", "fig-group", "table-wrap", "caption", "supplementary-material", "fn", "fn-group", "ref-list", "permissions"}
    | {"author-notes", "contrib-group", "notes", "bio", "glossary", "floats-group", "floats-wrap", "td", "th"}
)
_BACK = frozenset({"app", "ack", "back"})


@dataclass
class Outline:
    """The sections of an article in order, with the element of each."""

    sections: list[Section] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)
    _titles: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def titles(self, home: Any) -> tuple[str, ...]:
        """The headings of a section, the outermost first."""
        if home is None:
            return ()
        if home not in self._titles:
            own = plain(home.find("title"))
            if not own and name_of(home).endswith("abstract"):
                own = (home.get("abstract-type") or "abstract").capitalize()
            above = self.titles(home_of(home.getparent())[0])
            self._titles[home] = (*above, own) if own else above
        return self._titles[home]


def parts_of(article: Any) -> list[Any]:
    """The article's own parts, without reviews, replies and translations."""
    return [child for child in article if name_of(child) in PARTS]


def home_of(element: Any) -> tuple[Any, bool]:
    """The section around an element or None, and whether the element is running text of it."""
    is_text = True
    while element is not None:
        name = name_of(element)
        if name in _HOMES:
            return element, is_text
        is_text = is_text and name not in _APART
        element = element.getparent()
    return None, False


def outline(parts: list[Any]) -> Outline:
    """The running text: abstracts, body, appendices and other sections of the back."""
    made = Outline()
    texts: dict[Any, list[str]] = {}
    for part in parts:
        for paragraph in part.iter("p"):
            home, is_text = home_of(paragraph)
            words = plain(paragraph) if is_text else ""
            if words:
                texts.setdefault(home, []).append(words)
    for number, (home, paragraphs) in enumerate(texts.items()):
        made.numbers[home] = number
        made.sections.append(Section(made.titles(home), tuple(paragraphs), _part(home)))
    return made


def _part(home: Any) -> Literal["abstract", "body", "back"]:
    while home is not None:
        name = name_of(home)
        if name.endswith("abstract"):
            return "abstract"
        if name in _BACK:
            return "back"
        home = home.getparent()
    return "body"
