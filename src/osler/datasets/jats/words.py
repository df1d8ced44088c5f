"""Plain text of an element, and where marked elements stand in it."""

import re
from collections.abc import Collection
from typing import Any

Span = tuple[Any, int, int]
"""A marked element, and where its words start and end."""

# Set apart from the paragraph in which they are declared: their words are text of their own or none.
FLOATS = frozenset(
    {"fig", "fig-group", "table-wrap", "table-wrap-group", "supplementary-material", "media", "boxed-text", "p"}
    | {"list", "def-list", "disp-quote", "speech", "statement", "verse-group", "fn", "array", "graphic"}
    | {"inline-graphic", "object-id", "permissions", "alt-text", "long-desc", "annotation", "annotation-xml"}
)
# What stands between the parts of a formula, so that a fraction does not become one number.
_BETWEEN = {"mfrac": "/", "msup": "^", "mover": "^", "msub": "_", "munder": "_", "mroot": "^"}
_LATEX = re.compile(r"\\begin\{document\}(.*?)\\end\{document\}", re.DOTALL)
_NUMBER = re.compile(r"\s*[-+\u2212\u2013]?\d")
_CITED = re.compile(r"[\s,;\u2013-]*")


def name_of(element: Any) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def plain(element: Any) -> str:
    """The words of an element; "" for None."""
    return "" if element is None else read_words(element)[0]


def read_words(element: Any, marked: Collection[Any] = ()) -> tuple[str, list[Span]]:
    """The words of `element` with single spaces, and where the `marked` elements below it stand in them.

    Floats and nested paragraphs are left out. An exponent keeps its mark ("10^6") and a citation as a superscript
    gets brackets, since the words beside them would swallow their digits.
    """
    writer = _Writer()
    spans: list[Span] = []
    todo: list[Any] = _content(element)
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            writer.add(item)
        elif isinstance(item, tuple):
            found, start = item
            spans.append((found, *writer.span(start)))
        else:
            if item in marked:
                todo.append((item, writer.mark()))
            todo += _opened(item, writer)
    return writer.text(), spans


class _Writer:
    """Text with single spaces between words, as it grows."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._gap = False

    def add(self, words: str) -> None:
        plain = " ".join(words.split())
        if not plain:
            self._gap = self._gap or bool(words)
            return
        if (self._gap or words[0].isspace()) and self._size:
            plain = f" {plain}"
        self._parts.append(plain)
        self._size += len(plain)
        self._gap = words[-1].isspace()

    def mark(self) -> tuple[int, int]:
        return self._size, len(self._parts)

    def span(self, mark: tuple[int, int]) -> tuple[int, int]:
        """From the first character after `mark` that is no space to the end."""
        start, part = mark
        begins_with_space = part < len(self._parts) and self._parts[part][0] == " "
        return start + begins_with_space, self._size

    def ends_in_digit(self) -> bool:
        return not self._gap and bool(self._parts) and self._parts[-1][-1].isdigit()

    def text(self) -> str:
        return "".join(self._parts)


def _opened(element: Any, writer: _Writer) -> list[Any]:
    """What is to be read of an element, the last first."""
    name = name_of(element)
    if name in FLOATS:
        return []
    if name == "break":
        return [" "]
    if name == "tex-math":
        words = "".join(element.itertext())
        found = _LATEX.search(words)
        return [(found[1] if found else words).strip().strip("$")]
    if name == "alternatives":
        return [_wordiest(element)] if len(element) else []
    if name == "sup":
        return _raised(element, writer)
    return _content(element, _BETWEEN.get(name, ""))


def _content(element: Any, between: str = "") -> list[Any]:
    # Spaces between the parts of a formula only lay out its file.
    is_formula = "MathML" in element.tag
    items: list[Any] = [element.text] if _says(element.text, is_formula) and not between else []
    for number, child in enumerate(element):
        if between and number:
            items.append(between)
        items.append(child)
        if _says(child.tail, is_formula) and not between:
            items.append(child.tail)
    items.reverse()
    return items


def _says(text: str | None, is_formula: bool) -> bool:
    return bool(text) and not (is_formula and text is not None and text.isspace())


def _raised(element: Any, writer: _Writer) -> list[Any]:
    content = _content(element)
    cited = [child for child in element if name_of(child) == "xref" and child.get("ref-type") == "bibr"]
    around = "".join([element.text or "", *(child.tail or "" for child in element)])
    if cited and len(cited) == len(element) and _CITED.fullmatch(around):
        return ["]", *content, " ["]
    if writer.ends_in_digit() and _NUMBER.match("".join(element.itertext())):
        return [*content, "^"]
    return content


def _wordiest(element: Any) -> Any:
    """Of several forms of one thing the one in words: a formula's MathML before its LaTeX before its picture."""
    order = {"textual-form": 0, "math": 1, "tex-math": 2}
    return min(element, key=lambda child: order.get(name_of(child), 9))
