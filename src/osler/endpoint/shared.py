"""A small SQLite file that threads and processes of one machine share, whole after a kill at any moment."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from osler.core.errors import InputError

_WAIT_S = 60.0


class SharedFile:
    """One connection for all threads of a process; `path` None keeps everything in memory.

    Raises:
        InputError: the file is there and no database.
    """

    def __init__(self, path: Path | None, schema: str, *, noun: str) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        where = path if path is not None else ":memory:"
        self._open = sqlite3.connect(where, check_same_thread=False, isolation_level=None, timeout=_WAIT_S)
        try:
            self._open.execute("PRAGMA journal_mode=WAL")
            self._open.execute(schema)
        except sqlite3.OperationalError:
            self._open.close()
            raise
        except sqlite3.DatabaseError as error:
            self._open.close()
            raise InputError(f"{path} is no {noun}: {error}", fix="Remove it to start afresh.") from error

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What one statement gives; what it writes is on disk when this returns."""
        with self._lock:
            return self._open.execute(statement, values).fetchall()

    @contextmanager
    def alone(self) -> Iterator[sqlite3.Connection]:
        """The connection while no other thread or process may write; undone where the block fails."""
        with self._lock:
            self._open.execute("BEGIN IMMEDIATE")
            try:
                yield self._open
            except BaseException:
                self._open.execute("ROLLBACK")
                raise
            self._open.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._open.close()
