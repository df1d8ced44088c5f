"""Licences: what a package's metadata says of its terms, and whether they are those of the GPL."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_GPL = re.compile(r"(?i)\b(?<!l)a?gpl|\bgnu (?:affero )?general public")
_LESSER = re.compile(r"(?i)\blgpl|\blesser general public|\blibrary or lesser")
_CLASSIFIER = "License :: OSI Approved :: "
_MAX_CHARS = 100


def licence_of(values: Callable[[str], Sequence[str] | None]) -> str:
    """What core metadata say: the SPDX expression, else the licence field if it is one line, else the classifiers.

    Args:
        values: gives all values of a metadata field, such as `importlib.metadata.metadata("numpy").get_all`.
    """
    for field in ("License-Expression", "License"):
        words = str((values(field) or [""])[0]).strip()
        if words and "\n" not in words and len(words) <= _MAX_CHARS and words.upper() != "UNKNOWN":
            return words
    named = [str(each) for each in values("Classifier") or [] if str(each).startswith("License :: ")]
    return " AND ".join(each.removeprefix(_CLASSIFIER) for each in named) or "not stated"


def is_gpl(licence: str) -> bool:
    """Whether nothing but the GPL or AGPL's terms are offered; the LGPL's, and an exception for linking, are others."""
    alternatives = re.split(r"(?i)\s+or\s+(?!later)|\s*/\s*", licence)
    return all(_binds(each) for each in alternatives)


def _binds(terms: str) -> bool:
    parts = re.split(r"(?i)\s+and\s+|[(),;]", terms)
    return any(_GPL.search(part) and not _LESSER.search(part) and " with " not in part.lower() for part in parts)


def installed_closure(requirements: Iterable[str]) -> Iterator[metadata.Distribution]:
    """Every installed package that these need, themselves included, each once; what is not installed is left out."""
    seen: set[tuple[str, str]] = set()
    given: set[str] = set()
    left = [Requirement(each) for each in requirements]
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if name not in given:
            given.add(name)
            yield found
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            needs = [Requirement(each) for each in found.requires or []]
            left += [each for each in needs if each.marker is None or each.marker.evaluate({"extra": extra})]
