"""Prompts: what each step tells its model, a file a step below `prompts/`, and the hash by which a recipe names it."""

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from osler.core.files import sha256_bytes

NAMES = (
    "screen",
    "assign",
    "write",
    "support",
    "leakage",
    "blind",
    "solve",
    "draft",
    "trace",
    "consistency",
    "justification",
    "utility",
    "rubric",
)


@dataclass(frozen=True)
class Prompt:
    """The instruction of one step. sha256: of its file, so of every letter that the model is told."""

    name: str
    text: str

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the text in UTF-8."""
        return sha256_bytes(self.text.encode())


def read_prompt(name: str) -> Prompt:
    """The instruction of the step called `name`."""
    text = (files("osler.synth.reasoning") / "prompts" / f"{name}.md").read_text(encoding="utf-8")
    return Prompt(name, text)


def prompt_hashes() -> dict[str, str]:
    """The SHA-256 of every instruction by step."""
    return {name: read_prompt(name).sha256 for name in NAMES}
