"""Cache of answers on disk, so that no question is paid for twice. It never holds an error."""

import json
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path

from osler.core.errors import InputError
from osler.endpoint.chat import ChatReply

_SCHEMA = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID"


class ReplyCache:
    """Answers by the key of their request (`ChatRequest.key`) in one SQLite file.

    Every answer is on disk before `put` returns, and a kill leaves the file whole. Threads and processes may share it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._open = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=60.0)
        try:
            self._open.execute("PRAGMA journal_mode=WAL")
            self._open.execute(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path} is no cache of answers: {error}", fix="Remove it to start afresh.") from error

    def get(self, key: str) -> ChatReply | None:
        """The answer to the request with this key; None where there is none yet."""
        with self._lock:
            row = self._open.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        return ChatReply(**json.loads(row[0])) if row else None

    def put(self, key: str, reply: ChatReply) -> None:
        """Keep an answer; a later one for the same key does not replace it."""
        with self._lock:
            self._open.execute("INSERT OR IGNORE INTO replies VALUES (?, ?)", (key, json.dumps(asdict(reply))))

    def __len__(self) -> int:
        """How many answers there are."""
        with self._lock:
            return int(self._open.execute("SELECT COUNT(*) FROM replies").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._open.close()
