"""Words of a report as the RadGraph models were trained on them."""

import re

_BEFORE_MARK = re.compile(r"(?<! )(?=[/,:.!?()])|(?<=[/,:.!?()])(?! )")
_RUN = re.compile(r"\w+|[^\w\s]+")
_APART = ((").", ") ."), ("%.", "% ."), (".'", ". '"), ("%,", "% ,"), ("%)", "% )"))
_NOTHING = "None"


def split_words(text: str, model_type: str) -> list[str]:
    """The words. model_type: `radgraph` is the first release; later ones are trained on other words."""
    text = text if text.strip() else _NOTHING
    if model_type == "radgraph":
        return _BEFORE_MARK.sub(" ", text).split()
    for written in ("\\n", "\\f", "\\u2122"):
        text = text.replace(written, " ")
    joined = " ".join(_RUN.findall(text.replace('\\"', "``")))
    for run, apart in _APART:
        joined = joined.replace(run, apart)
    return joined.split()
