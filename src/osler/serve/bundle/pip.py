"""Pip: run without the user's settings, environment and index; and the Python that wheels are for."""

import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from osler.core.errors import InputError

_PIP_TIMEOUT_S = 3600
_ALONE = {"PIP_CONFIG_FILE": os.devnull, "PATH": os.defpath, "LANG": "C.UTF-8"}


def pip(arguments: Sequence[str], *, python: Path | None = None, is_alone: bool = True) -> str:
    """Run pip; returns what it printed.

    Args:
        arguments: of pip.
        python: whose pip; None takes this program's.
        is_alone: leave out the user's and the machine's settings, which may name indexes and folders of wheels.

    Raises:
        InputError: pip is missing or refuses; the last lines of what it said.
    """
    command = [str(python or sys.executable), "-I", "-m", "pip", *(["--isolated"] if is_alone else [])]
    try:
        done = subprocess.run(
            [*command, "--disable-pip-version-check", *arguments],
            capture_output=True, text=True, check=False, timeout=_PIP_TIMEOUT_S, env=_ALONE if is_alone else None,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"pip could not be run to its end: {type(error).__name__}") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.startswith(("ERROR", "error", "/"))]
        raise InputError(f"pip {arguments[0]}: {' '.join(said[-2:]) or done.stderr.strip()[-300:]}")
    return done.stdout


def python_tag() -> str:
    """The interpreter and system that wheels are for."""
    return (
        f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])} {sysconfig.get_platform()}"
    )
