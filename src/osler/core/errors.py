"""What a user sees when something is wrong: expected, got, what to do.

OslerError            a run failed (exit 1)
    InputError        what the user gave is wrong (exit 2)
    DiskFullError     a file could not be written for want of space
"""

import difflib
from collections.abc import Iterable


class OslerError(Exception):
    """A failure with a message for the user. The command line prints it without a traceback."""

    exit_code = 1


class InputError(OslerError):
    """The user's input is wrong.

    Args:
        message: what is wrong, as one clause.
        expected: what would have been right.
        got: what came instead.
        fix: what to do now.
    """

    exit_code = 2

    def __init__(self, message: str, *, expected: str = "", got: str = "", fix: str = "") -> None:
        parts = [message]
        if expected:
            parts.append(f"expected {expected}")
        if got:
            parts.append(f"got {got}")
        super().__init__("; ".join(parts) + (f". {fix}" if fix else ""))


class DiskFullError(OslerError):
    """The disk is full. Nothing half-written is left behind."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean 'x'?` for the nearest known name, else the empty string."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {nearest[0]!r}?" if nearest else ""
