"""Cache of what extractors found, by extractor, hash of its weights and hash of the text, in one SQLite file."""

import base64
import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.core.files import sha256_bytes

_SCHEMA = """CREATE TABLE IF NOT EXISTS found (
    extractor TEXT, weights TEXT, text TEXT, value TEXT NOT NULL, PRIMARY KEY (extractor, weights, text)
) WITHOUT ROWID"""
_ARRAY = "float32"


class ExtractionCache:
    """Values are JSON, float32 arrays in base64. The texts themselves are not kept, only their SHA-256.

    read_only: the file is there and nobody writes to it; it is left as it is.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if read_only:
            self._open = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open = sqlite3.connect(path, isolation_level=None, timeout=60.0)
        try:
            self._open.execute("PRAGMA journal_mode=WAL")
            self._open.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is no cache of extractions: {error}", fix="Remove it to start afresh.") from error

    def get(self, extractor: str, weights: str, text: str) -> Any | None:
        """What was found in `text`; None where it was never looked at with these weights."""
        row = self._open.execute(
            "SELECT value FROM found WHERE extractor = ? AND weights = ? AND text = ?",
            (extractor, weights, text_key(text)),
        ).fetchone()
        return json.loads(row[0], object_hook=_array) if row else None

    def put(self, extractor: str, weights: str, values: Iterable[tuple[str, Any]]) -> None:
        """Keep values by text, all or none of them."""
        rows = [(extractor, weights, text_key(text), json.dumps(value, default=_plain)) for text, value in values]
        self._open.execute("BEGIN")
        self._open.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?, ?)", rows)
        self._open.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._open.close()


def text_key(text: str) -> str:
    """The hash under which a text is kept. Lone surrogates, which UTF-8 cannot hold, are kept apart."""
    return sha256_bytes(text.encode("utf-8", "surrogatepass"))


def _plain(value: Any) -> Any:
    array = np.ascontiguousarray(value, dtype=np.float32)
    return {_ARRAY: base64.b64encode(array.tobytes()).decode(), "shape": list(array.shape)}


def _array(value: Mapping[str, Any]) -> Any:
    if _ARRAY not in value:
        return value
    return np.frombuffer(base64.b64decode(value[_ARRAY]), dtype=np.float32).reshape(value["shape"])
