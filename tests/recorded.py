"""Extractors that find what a test says they find."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from osler.core.errors import InputError

Found = Mapping[str, Mapping[str, Any] | Callable[[str], Any]]


class Recorded:
    """`found`: by extractor, values by text or a function of the text. One that is not named is unavailable."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.fetched: list[tuple[str, str]] = []

    def reason(self, name: str) -> str:
        return "" if name in self.found else f"recipe key metric_weights.{name} is not set"

    def identity(self, name: str) -> str:
        return "recorded"

    def fetch(self, name: str, texts: Iterable[str]) -> None:
        self.fetched += [(name, text) for text in texts]

    def value(self, name: str, text: str) -> Any:
        if name not in self.found:
            raise InputError(f"{name} is unavailable")
        source = self.found[name]
        return source(text) if callable(source) else source[text]
