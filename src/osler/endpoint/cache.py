"""Cache of answers on disk, so that no question is paid for twice. It never holds an error."""

import json
from dataclasses import asdict
from pathlib import Path

from osler.endpoint.chat import ChatReply
from osler.endpoint.shared import SharedFile

_SCHEMA = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID"


class ReplyCache:
    """Answers by the key of their request (`ChatRequest.key`) in one SQLite file.

    Every answer is on disk before `put` returns, and a kill leaves the file whole. Threads and processes may share it.
    """

    def __init__(self, path: Path) -> None:
        self._file = SharedFile(path, _SCHEMA, noun="cache of answers")

    def get(self, key: str) -> ChatReply | None:
        """The answer to the request with this key; None where there is none yet."""
        found = self._file.rows("SELECT reply FROM replies WHERE key = ?", key)
        return ChatReply(**json.loads(found[0][0])) if found else None

    def put(self, key: str, reply: ChatReply) -> None:
        """Keep an answer; a later one for the same key does not replace it."""
        self._file.rows("INSERT OR IGNORE INTO replies VALUES (?, ?)", key, json.dumps(asdict(reply)))

    def __len__(self) -> int:
        """How many answers there are."""
        return int(self._file.rows("SELECT COUNT(*) FROM replies")[0][0])

    def close(self) -> None:
        """Close the file."""
        self._file.close()
