"""Files that several ranks of one run may write at the same moment, all with the same content."""

from pathlib import Path
from typing import Any

from osler.core.files import shared_file, write_json, write_text


def write_shared_json(path: Path, value: Any) -> None:
    """As `write_json`; whichever process is last, the file is whole."""
    with shared_file(path) as part:
        write_json(part, value)


def write_shared_text(path: Path, text: str) -> None:
    """As `write_text`; whichever process is last, the file is whole."""
    with shared_file(path) as part:
        write_text(part, text)
