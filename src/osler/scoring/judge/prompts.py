"""What judges are told: a file below `prompts/` for each question, pinned by its hash in a recipe."""

from functools import cache
from importlib.resources import files
from typing import Literal

from osler.core.errors import InputError
from osler.core.files import sha256_bytes

PromptName = Literal["presence", "correctness", "prefer"]


@cache
def judge_prompt(name: PromptName) -> str:
    """The instruction for one kind of question."""
    return (files("osler.scoring.judge") / "prompts" / f"{name}.md").read_text(encoding="utf-8")


def prompt_sha256(name: PromptName) -> str:
    """The SHA-256 of every letter that the judge is told."""
    return sha256_bytes(judge_prompt(name).encode())


def prompt_hashes(names: tuple[PromptName, ...]) -> dict[str, str]:
    """The hashes by name."""
    return {str(name): prompt_sha256(name) for name in names}


def check_pinned(pinned: dict[str, str], names: tuple[PromptName, ...]) -> None:
    """Refuse a recipe that was written for other instructions than this version's; an empty one pins nothing.

    Raises:
        InputError: an unknown name or another hash.
    """
    ours = prompt_hashes(names)
    for name, digest in pinned.items():
        if name not in ours:
            raise InputError(f"prompt_sha256: no instruction {name!r}", expected=", ".join(ours), got=name)
        if digest != ours[name]:
            raise InputError(
                f"this version asks with another instruction {name!r} than the recipe was written for",
                expected=f"SHA-256 {digest}",
                got=ours[name],
                fix="Verdicts by different instructions cannot be compared: use that version, or pin the new hash.",
            )
