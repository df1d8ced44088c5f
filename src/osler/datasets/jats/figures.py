"""The figures of an article: captions, groups, pictures and their published names."""

import re
from dataclasses import dataclass, replace
from typing import Any

from osler.datasets.jats.sections import Outline, home_of
from osler.datasets.jats.terms import figure_terms
from osler.datasets.jats.types import Figure, Graphic, Terms
from osler.datasets.jats.words import name_of, plain

RASTERS = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
"""File endings of pictures, those that lose nothing first."""
DRAWINGS = (".svg", ".eps", ".pdf", ".ai", ".wmf", ".emf")

_GROUPED = frozenset({"fig-group", "fig"})
# Pictures in here are formulas, icons or data, none of the figure's own.
_NOT_ITS_PICTURES = frozenset(
    {"caption", "label", "permissions", "disp-formula", "inline-formula", "table-wrap", "fig", "attrib"}
    | {"supplementary-material", "chem-struct-wrap", "alt-text", "long-desc"}
)
_ASIDE = frozenset({"supplementary-material", "table-wrap", "media"})
_SUPPLEMENT = re.compile(r"supplement|extended data|\bfig(?:ure)?s?\.?\s*S\d|^S\d+\s*fig", re.IGNORECASE)
_ONLY_DOI = re.compile(r"\s*(?:doi:\s*)?(?:https?://(?:dx\.)?doi\.org/)?10\.\d{4,}/\S+\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A figure with its element; `anchors` are the ids by which the text may point to it."""

    element: Any
    figure: Figure
    anchors: tuple[str, ...]


def find_figures(parts: list[Any], article: Terms, outline: Outline) -> list[Place]:
    """The figures of `parts` in the order of the file, without their mentions.

    A fig-group that holds pictures of its own is a figure too.
    """
    found: list[Place] = []
    taken: set[str] = set()
    for part in parts:
        for element in part.iter("fig", "fig-group"):
            graphics = _graphics(element)
            if name_of(element) == "fig-group" and not graphics:
                continue
            id = "_".join((element.get("id") or f"n{len(found) + 1}").split())
            if id in taken:
                id += f"+{len(found) + 1}"
            taken.add(id)
            figure = _figure(element, article, outline, graphics)
            found.append(Place(element, replace(figure, id=id), _anchors(element)))
    return found


def _figure(element: Any, article: Terms, outline: Outline, graphics: tuple[Graphic, ...]) -> Figure:
    title, paragraphs = _caption(element)
    around = element.getparent()
    in_group = around is not None and name_of(around) == "fig-group"
    label = plain(element.find("label"))
    attribution = " ".join(plain(line) for line in element.findall("attrib"))
    caption = "\n".join((title, *paragraphs))
    return Figure(
        id="",
        label=label,
        title=title,
        paragraphs=paragraphs,
        group_caption="\n".join(filter(None, _flat(_caption(around)))) if in_group else "",
        graphics=graphics,
        terms=figure_terms(element, article, caption=caption, attribution=attribution),
        attribution=attribution,
        section=outline.titles(home_of(around)[0]),
        is_supplement=_is_supplement(element, label),
    )


def _anchors(element: Any) -> tuple[str, ...]:
    chain = [element]
    while (above := chain[-1].getparent()) is not None and name_of(above) in _GROUPED:
        chain.append(above)
    return tuple(one.get("id") for one in chain if one.get("id"))


def _flat(caption: tuple[str, tuple[str, ...]]) -> tuple[str, ...]:
    return (caption[0], *caption[1])


def _caption(element: Any) -> tuple[str, tuple[str, ...]]:
    """Title and paragraphs of an element's own caption; a paragraph that is nothing but its DOI is left out."""
    caption = element.find("caption")
    if caption is None:
        return "", ()
    paragraphs = [plain(p) for p in caption.iter("p") if not _is_aside(p, caption)]
    kept = tuple(words for words in paragraphs if words and not _ONLY_DOI.fullmatch(words))
    title = plain(caption.find("title"))
    return title, kept if kept or title or paragraphs else tuple(filter(None, [plain(caption)]))


def _is_aside(paragraph: Any, caption: Any) -> bool:
    above = paragraph.getparent()
    while above is not caption:
        if name_of(above) in _ASIDE:
            return True
        above = above.getparent()
    return False


def _graphics(element: Any) -> tuple[Graphic, ...]:
    """The pictures below an element in order, the forms of one picture as one."""
    found: list[Graphic] = []
    todo = list(reversed(element))
    while todo:
        child = todo.pop()
        name = name_of(child)
        if name == "alternatives":
            forms = [form for form in child if _is_picture(form)]
            names = [_published_name(form) for form in sorted(forms, key=_rank)]
            found += [Graphic(tuple(filter(None, names)))] if any(names) else []
        elif _is_picture(child):
            found += [Graphic((_published_name(child),))] if _published_name(child) else []
        elif name not in _NOT_ITS_PICTURES:
            todo += reversed(child)
    return tuple(found)


def _is_picture(element: Any) -> bool:
    name = name_of(element)
    return name == "graphic" or (name == "media" and element.get("mimetype") == "image")


def _published_name(element: Any) -> str:
    return next((value.strip() for key, value in element.items() if key.rpartition("}")[2] == "href"), "")


def _rank(element: Any) -> tuple[bool, int]:
    """Previews last; of the others the raster that loses least first, then names without an ending, then drawings."""
    words = f"{element.get('specific-use') or ''} {element.get('content-type') or ''}".lower()
    name = _published_name(element).lower()
    ending = next((end for end in (*RASTERS, *DRAWINGS) if name.endswith(end)), "")
    order = (*RASTERS, "", *DRAWINGS)
    return "thumb" in words or "preview" in words, order.index(ending)


def _is_supplement(element: Any, label: str) -> bool:
    if element.get("specific-use") == "child-fig" or _SUPPLEMENT.search(label):
        return True
    return any(name_of(above) == "supplementary-material" for above in element.iterancestors())
