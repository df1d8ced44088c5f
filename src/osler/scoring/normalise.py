"""Text made comparable: case, spaces and the punctuation around it no longer matter."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_LONG_RUN = re.compile(r"[\s*_`\"'$]{17,}+")
_KEPT = 8
_AROUND = " \t\n.,;:!\"'`*_"


def normalise(text: str) -> str:
    """`text` in NFKC, case-folded, spaces collapsed, without punctuation or quotes around it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SPACE.sub(" ", folded).strip(_AROUND)


def squeeze(text: str) -> str:
    """`text` with runs of spaces and markup cut to 17 characters, so that no pattern meets a run that is long.

    A rule that looks for spaces before a word would otherwise look at each of n spaces n times.
    """
    return _LONG_RUN.sub(_cut, text)


def _cut(run: re.Match[str]) -> str:
    words = run.group()
    return words[:_KEPT] + ("\n" if "\n" in words else " ") + words[-_KEPT:]
