"""Text made comparable: case, spaces and the punctuation around it no longer matter."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_AROUND = " \t\n.,;:!\"'`*_"


def normalise(text: str) -> str:
    """`text` in NFKC, case-folded, spaces collapsed, without punctuation or quotes around it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _SPACE.sub(" ", folded).strip(_AROUND)
