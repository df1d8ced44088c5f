"""An article out of its XML."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from osler.core.errors import InputError
from osler.datasets.jats.figures import find_figures
from osler.datasets.jats.mentions import find_mentions
from osler.datasets.jats.parse import parse_tree, read_tree, without_namespace
from osler.datasets.jats.sections import outline, parts_of
from osler.datasets.jats.terms import article_terms
from osler.datasets.jats.types import Article
from osler.datasets.jats.words import name_of, plain


def read_article(path: Path) -> Article:
    """The article in a JATS or NLM file.

    Raises:
        InputError: the file is no article, or `parse.read_tree` refuses it; the message begins with the kind of fault.
    """
    return article_of(read_tree(path))


def parse_article(data: bytes) -> Article:
    """The article in the bytes of a JATS or NLM file. Raises InputError as `read_article`."""
    return article_of(parse_tree(data))


def article_of(root: Any) -> Article:
    """The article below `root`, which may wrap it as an archive's reply does. Raises InputError for none or several."""
    found = [root] if name_of(root) == "article" else list(root.iter("{*}article"))
    if len(found) != 1:
        what = f"{len(found)} articles" if found else "no article"
        raise InputError(f"no JATS article: root element {name_of(root)!r} with {what}")
    element = without_namespace(found[0])
    parts = parts_of(element)
    meta = element.find("front/article-meta")
    terms = article_terms(meta)
    made = outline(parts)
    places = find_figures(parts, terms, made)
    mentions, num_dangling = find_mentions(parts, places, made)
    figures = tuple(
        replace(place.figure, mentions=tuple(mentions.get(number, ()))) for number, place in enumerate(places)
    )
    ids = _ids(meta)
    return Article(
        pmcid=ids["pmcid"],
        pmid=ids["pmid"],
        doi=ids["doi"],
        title=plain(element.find("front/article-meta/title-group/article-title")),
        journal=plain(next(element.iterfind("front/journal-meta//journal-title"), None)),
        article_type=element.get("article-type") or "",
        terms=terms,
        sections=tuple(made.sections),
        figures=figures,
        num_left_out=sum(1 for child in element if child not in parts for _ in child.iter("fig")),
        num_dangling=num_dangling,
    )


def _ids(meta: Any) -> dict[str, str]:
    """The article's ids: `PMC123` whether or not the file says PMC, a DOI in lower case without an address."""
    ids = {"pmcid": "", "pmid": "", "doi": ""}
    for element in meta.iterfind("article-id") if meta is not None else ():
        kind = (element.get("pub-id-type") or "").lower()
        value = "".join(plain(element).split())
        if kind in {"pmc", "pmcid"} and value.upper().removeprefix("PMC").isdigit():
            ids["pmcid"] = ids["pmcid"] or "PMC" + value.upper().removeprefix("PMC")
        elif kind == "pmid" and value.isdigit():
            ids["pmid"] = ids["pmid"] or value
        elif kind == "doi" and "10." in value:
            ids["doi"] = ids["doi"] or value[value.index("10.") :].lower()
    return ids
