"""GREEN: findings that match and clinically significant errors, counted by a language model in words.

An analysis that cannot be read is no score: it is counted as unreadable, where its authors' code says 0.
"""

import re
from typing import NamedTuple

NUM_KINDS = 6
_SECTION = r"\[{}\]:\s*(.*?)(?:\n\s*\n|\n\s*\[|\Z)"
_ERRORS = re.compile(_SECTION.format("Clinically Significant Errors"), re.DOTALL)
_MATCHED = re.compile(_SECTION.format("Matched Findings"), re.DOTALL)
_LETTERED = re.compile(r"\(([a-f])\)[^\n]*?: (\d+)\.")
_NUMBERED = re.compile(r"\(([1-6])\)[^\n]*?: (\d+)\.")
_FIRST = re.compile(r"(\d+)\.")


class Analysis(NamedTuple):
    """errors: how many clinically significant errors of each of the six kinds. matched: findings that match."""

    errors: tuple[int, ...]
    matched: int


def green(analysis: Analysis) -> float:
    """Matched / (matched + significant errors); 0 where nothing matched."""
    return analysis.matched / (analysis.matched + sum(analysis.errors)) if analysis.matched else 0.0


def read_analysis(text: str) -> Analysis | None:
    """The counts in the model's words; None where either section is missing or has neither a count nor a "No"."""
    errors, matched = _ERRORS.search(text), _MATCHED.search(text)
    if errors is None or matched is None:
        return None
    counts = _error_counts(errors.group(1))
    found = _FIRST.match(matched.group(1))
    none_matched = matched.group(1).startswith("No")
    if counts is None or not (found or none_matched):
        return None
    return Analysis(counts, int(found.group(1)) if found and not none_matched else 0)


def _error_counts(section: str) -> tuple[int, ...] | None:
    if section.startswith("No"):
        return (0,) * NUM_KINDS
    for pattern, names in ((_LETTERED, "abcdef"), (_NUMBERED, "123456")):
        found = dict(pattern.findall(section))
        if found:
            return tuple(int(found.get(name, 0)) for name in names)
    return None
