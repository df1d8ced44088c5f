"""Prompt: the words that a task adds to a stored question, by name, version and hash."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from osler.core.files import sha256_json


@dataclass(frozen=True)
class Prompt:
    """A template. A change of its words raises `version`.

    suffix: by kind of answer, what follows the question on a line of its own; nothing for a kind that is not named.
    """

    version: str
    suffix: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The hash of its words."""
        return sha256_json(dict(self.suffix))

    def signature(self, name: str) -> str:
        """`NAME/VERSION#` and the first letters of the hash, as results state it."""
        return f"{name}/{self.version}#{self.sha256[:8]}"
