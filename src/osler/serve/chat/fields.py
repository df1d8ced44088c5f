"""Fields of a request's body, each with the one type it may have."""

from collections.abc import Mapping, Sequence
from typing import Any

from osler.serve.refusal import Refusal


def invalid(param: str, problem: str) -> Refusal:
    """A field that holds what it may not hold."""
    return Refusal(400, f"{param}: {problem}", code="invalid_value", param=param)


def unsupported(param: str, problem: str) -> Refusal:
    """A field that is known and not honoured."""
    return Refusal(400, f"{param} is not supported: {problem}", code="unsupported_field", param=param)


class Fields:
    """Reads fields by name. A field that is null is as one that is missing; `where` begins each name in messages."""

    def __init__(self, given: Mapping[str, Any], where: str = "") -> None:
        self._given, self._where = given, where

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self._given.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return value

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """One of some words."""
        value = self._given.get(name)
        if not isinstance(value, str) or value not in known:
            raise self._wrong(name, f"one of {', '.join(known)}")
        return value

    def flag(self, name: str) -> bool:
        """A truth value; false where it is missing."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return bool(value)

    def whole(self, name: str, default: int | None, *, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        value = self._given.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """A number from `low` to `high`."""
        value = self._given.get(name)
        if value is None:
            return default
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise self._wrong(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def sequence(self, name: str) -> list[Any]:
        """A list."""
        value = self._given.get(name)
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        return value

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """An object; None where it is missing."""
        value = self._given.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return value

    def _wrong(self, name: str, expected: str) -> Refusal:
        return invalid(f"{self._where}{name}", f"it must be {expected}")
