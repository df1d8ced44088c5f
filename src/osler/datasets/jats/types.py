"""What is kept of an article: frozen values without XML."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place where the text points to a figure.

    text: the whole paragraph, caption, heading or cell.
    start, end: where the reference's own words stand in it; equal where the reference has none.
    section: headings from the outermost to the nearest; () outside any section.
    section_number: the paragraph's place in `Article.sections`; -1 where its text is in none.
    in_range: the figure is not named itself but lies between the two ends of "Figures 1-3".
    """

    text: str
    start: int
    end: int
    section: tuple[str, ...] = ()
    section_number: int = -1
    place: Literal["paragraph", "caption", "other"] = "paragraph"
    in_range: bool = False

    @property
    def words(self) -> str:
        """The reference's own words: "Fig. 2A"."""
        return self.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Graphic:
    """One picture of a figure: the names it is published under, the best raster first."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """A licence as an article states it.

    licence: SPDX id, without a version where none is said (`CC-BY`); NOASSERTION where nothing is known.
    stated_in: where it was found; `caption` and `attribution` are only ever reasons against one.
    """

    licence: str = "NOASSERTION"
    url: str = ""
    text: str = ""
    stated_in: Literal["", "article", "figure", "group", "caption", "attribution"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure.

    id: its id in the file, or `n3` for the third where it has none; unlike that of any other figure of the article.
    title, paragraphs: of its own caption, as plain text; both empty where it has none.
    group_caption: the caption of the fig-group around it.
    graphics: its pictures, in order.
    terms: its own licence where it has one, else the article's.
    attribution: what stands in its credit line.
    section: the headings under which it stands; () for figures kept at the end of the file.
    mentions: in the order of the text, its own caption left out.
    is_supplement: a figure supplement or supplementary figure.
    """

    id: str
    label: str = ""
    title: str = ""
    paragraphs: tuple[str, ...] = ()
    group_caption: str = ""
    graphics: tuple[Graphic, ...] = ()
    terms: Terms = Terms()
    attribution: str = ""
    section: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    is_supplement: bool = False

    @property
    def caption(self) -> str:
        """Title and paragraphs, one a line."""
        return "\n".join(part for part in (self.title, *self.paragraphs) if part)


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs under one heading, without those under its subheadings; `titles` from the outermost heading on."""

    titles: tuple[str, ...]
    paragraphs: tuple[str, ...]
    part: Literal["abstract", "body", "back"] = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article.

    num_left_out: figures of reviews, replies and translations that the file carries along.
    num_dangling: references to figures that the file does not hold.
    """

    pmcid: str = ""
    pmid: str = ""
    doi: str = ""
    title: str = ""
    journal: str = ""
    article_type: str = ""
    terms: Terms = Terms()
    sections: tuple[Section, ...] = ()
    figures: tuple[Figure, ...] = ()
    num_left_out: int = 0
    num_dangling: int = 0

    @property
    def abstract(self) -> tuple[str, ...]:
        """The paragraphs of the abstract, summaries of other kinds included."""
        return tuple(words for section in self.sections if section.part == "abstract" for words in section.paragraphs)

    @property
    def ids(self) -> tuple[str, ...]:
        """Its ids, each after its kind, the most lasting first: `pmcid:PMC123`, `doi:10.1/x`, `pmid:9`."""
        known = (("pmcid", self.pmcid), ("doi", self.doi), ("pmid", self.pmid))
        return tuple(f"{kind}:{value}" for kind, value in known if value)
