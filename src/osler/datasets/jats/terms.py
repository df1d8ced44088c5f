"""The licence of an article and of each figure, out of addresses and prose."""

import re
from typing import Any, Literal

from osler.datasets.jats.types import Terms
from osler.datasets.jats.words import name_of

_CC = r"(by(?:-nc)?(?:-(?:sa|nd))?)"
_URL = re.compile(rf"creativecommons\.org/licen[cs]es/{_CC}(?![a-z-])(?:/(\d\.\d)(/igo)?)?", re.IGNORECASE)
_SHORT = re.compile(
    r"\bCC[\s-]*(BY(?:[\s-]*NC)?(?:[\s-]*(?:SA|ND))?)(?![A-Za-z])[\s,-]*(?:version\s*)?(\d\.\d)?(\s*IGO\b)?"
)
_PROSE = re.compile(
    r"creative\s+commons(?:[\s\w(),:/.-]{0,60}?)attribution((?:[^.;]|\.\d){0,90}?)licen[cs]e\b", re.IGNORECASE
)
_VERSION = re.compile(r"\b([1-4]\.\d)\b")
_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?creativecommons\.org/[\w./-]*", re.IGNORECASE)
_ZERO = re.compile(r"creativecommons\.org/publicdomain/zero|\bCC[\s-]?0\b|public\s+domain\s+dedication", re.IGNORECASE)
_PUBLIC = re.compile(
    r"creativecommons\.org/publicdomain/mark|\bin\s+the\s+public\s+domain\b|public\s+domain\s+mark", re.IGNORECASE
)
_NO_MONEY = re.compile(r"non-?\s?commercial", re.IGNORECASE)
_ANY_MONEY = re.compile(r"commercial(?:ly)?\s+(?:and|or)\s+non-?\s?commercial", re.IGNORECASE)
_UNCHANGED = re.compile(r"no-?\s?deriv|no\s+modifications|without\s+(?:any\s+)?modification", re.IGNORECASE)
_ALIKE = re.compile(r"share-?\s?alike", re.IGNORECASE)
# Words that say of a figure that someone else holds the rights to it.
_TAKEN = re.compile(
    r"\b(?:with|by)\s+(?:\w+\s+){0,3}permissions?\b|\bpermission\s+(?:from|of|by|granted)\b"
    r"|\bcopyright\b|\u00a9|all\s+rights\s+reserved",
    re.IGNORECASE,
)


def licence_in(text: str, addresses: tuple[str, ...] = ()) -> tuple[str, str]:
    """SPDX id and address of the licence that prose and addresses name; ("NOASSERTION", "") for none.

    Where they name several, the one that forbids most: an address may be that of another version, a dedication may
    be meant for the data only. A version that nothing says stays out of the id.
    """
    everything = "\n".join([text, *addresses])
    found = [_kind(kind, text) for kind in _creative_commons(everything)]
    shown = next((match[0] for match in map(_ADDRESS.search, [*addresses, text]) if match), "")
    if found:
        strictest = max((kind for kind, _ in found), key=lambda kind: ("nd" in kind, "nc" in kind, "sa" in kind))
        versions = [version for kind, version in found if version and kind == strictest]
        version = (versions or [version for _, version in found if version] or [""])[0]
        return f"CC-{strictest.upper()}" + (f"-{version}" if version else ""), shown
    if _ZERO.search(everything):
        return "CC0-1.0", shown
    if _PUBLIC.search(everything):
        return "LicenseRef-Public-Domain", shown
    return "NOASSERTION", ""


def article_terms(meta: Any) -> Terms:
    """The licence that an article's own metadata state, in `permissions` or, in older files, the copyright line."""
    if meta is None:
        return Terms()
    elements = [*meta.findall("permissions"), *meta.findall("copyright-statement")]
    return _stated(elements, "article")


def figure_terms(figure: Any, article: Terms, *, caption: str, attribution: str) -> Terms:
    """A figure's licence: its own `permissions`, its group's, or the article's.

    Permissions without a licence that is known, and a caption or credit line that tells of someone's permission or
    copyright, are NOASSERTION: the article's licence does not reach what its authors were lent.
    """
    around = figure.getparent()
    places: list[tuple[Any, Literal["figure", "group"]]] = [(figure, "figure")]
    if around is not None and name_of(around) == "fig-group":
        places.append((around, "group"))
    for element, place in places:
        own = element.findall("permissions")
        if any("".join(one.itertext()).strip() for one in own):
            return _stated(own, place)
    lines: list[tuple[str, Literal["caption", "attribution"]]] = [(attribution, "attribution"), (caption, "caption")]
    for words, origin in lines:
        if _TAKEN.search(words):
            licence, url = licence_in(words)
            return Terms(licence, url, words, origin)
    return article


def _stated(elements: list[Any], place: Literal["article", "figure", "group"]) -> Terms:
    licences = [one for element in elements for one in element.iter("license")]
    sources = licences or elements
    words = " ".join(" ".join("".join(one.itertext()) for one in sources).split())
    addresses = tuple(
        value for one in sources for part in one.iter() for key, value in part.items() if key.endswith("href")
    )
    licence, url = licence_in(words, addresses)
    if licence == "NOASSERTION" and any(one.get("license-type") == "public-domain" for one in licences):
        licence = "LicenseRef-Public-Domain"
    return Terms(licence, url or next(iter(addresses), ""), words, place if elements else "")


def _creative_commons(text: str) -> list[tuple[str, str]]:
    """Kinds ("by-nc") with their versions, "" where not said."""
    named = [(match[1], (match[2] or "") + ("-IGO" if match[3] else "")) for match in _URL.finditer(text)]
    named += [(match[1], (match[2] or "") + ("-IGO" if match[3] else "")) for match in _SHORT.finditer(text)]
    for match in _PROSE.finditer(text):
        words = match[1]
        version = _VERSION.search(text, match.start(), match.end() + 30)
        kind = "by" + ("-nc" if _NO_MONEY.search(words) else "")
        kind += "-nd" if _UNCHANGED.search(words) else "-sa" if _ALIKE.search(words) else ""
        named.append((kind, version[1] if version else ""))
    return [("-".join(re.findall("by|nc|sa|nd", kind.lower())), version) for kind, version in named]


def _kind(named: tuple[str, str], text: str) -> tuple[str, str]:
    """The kind, with what the prose forbids beside the name."""
    kind, version = named
    if "nc" not in kind and _NO_MONEY.search(_ANY_MONEY.sub("", text)):
        kind = kind.replace("by", "by-nc", 1)
    if "nd" not in kind and _UNCHANGED.search(text):
        kind = kind.removesuffix("-sa") + "-nd"
    return kind, version
