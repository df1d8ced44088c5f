"""Journal: events as JSON lines on disk before anybody is answered."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from osler.serve.event import Event

_PRIVATE = 0o600


class Journal:
    """Appends events to a file; each is on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)

    def __call__(self, event: Event) -> None:
        """Write one event. Raises OSError where it cannot be written whole."""
        line = json.dumps(asdict(event), sort_keys=True, separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("an event was written in part")
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
