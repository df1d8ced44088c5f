"""Journal: events as JSON lines on disk before anybody is answered."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from osler.serve.event import Event

_PRIVATE = 0o600


class Journal:
    """Appends events to a file; they are on disk when the call returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)

    def __call__(self, events: Sequence[Event]) -> None:
        """Write events. Raises OSError where they cannot be written whole."""
        lines = [json.dumps(asdict(event), sort_keys=True, separators=(",", ":")) for event in events]
        data = "".join(f"{line}\n" for line in lines).encode()
        if os.write(self._file, data) != len(data):
            raise OSError("events were written in part")
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
