"""Files that several ranks of one run may write at the same moment, all with the same content."""

from pathlib import Path
from typing import Any

from osler.core.files import private_folder, write_json, write_text


def write_shared_json(path: Path, value: Any) -> None:
    """As `write_json`; whichever process is last, the file is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with private_folder(path.parent) as part:
        write_json(part / path.name, value)
        (part / path.name).replace(path)


def write_shared_text(path: Path, text: str) -> None:
    """As `write_text`; whichever process is last, the file is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with private_folder(path.parent) as part:
        write_text(part / path.name, text)
        (part / path.name).replace(path)
