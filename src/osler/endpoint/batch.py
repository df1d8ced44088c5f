"""Batch: many requests at once, in a bounded number of threads, over one or several endpoints, at a bounded rate."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

from osler.endpoint.shared import SharedFile

A = TypeVar("A")
B = TypeVar("B")

_SCHEMA = "CREATE TABLE IF NOT EXISTS starts (due REAL NOT NULL)"


class RateLimit:
    """At most `per_minute` starts in any minute, evenly spaced; None sets no limit.

    Threads may share it, and processes of one machine through the file at `path`.
    """

    def __init__(
        self,
        per_minute: float | None,
        *,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap_s = 60.0 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._file = SharedFile(path, _SCHEMA, noun="record of requests") if self._gap_s else None

    def wait(self) -> None:
        """Return when the next start is due."""
        if self._file is None:
            return
        with self._file.alone() as file:
            now = self._clock()
            due = file.execute("SELECT MAX(due) FROM starts").fetchone()[0]
            start = now if due is None else max(now, due)
            file.execute("DELETE FROM starts")
            file.execute("INSERT INTO starts VALUES (?)", (start + self._gap_s,))
        if start > now:
            self._sleep(start - now)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def map_concurrent(
    work: Callable[[A], B], items: Iterable[A], *, num_threads: int, look_ahead: int = 4
) -> Iterator[tuple[A, B]]:
    """Each item with what `work` made of it, as each is done; items are taken only a little ahead.

    An error of `work` is raised here after the work under way has ended; what was done before has been yielded.
    """
    remaining = iter(items)
    with ThreadPoolExecutor(num_threads) as pool:
        waiting: dict[Future[B], A] = {}

        def fill() -> None:
            while len(waiting) < num_threads * look_ahead:
                try:
                    item = next(remaining)
                except StopIteration:
                    return
                waiting[pool.submit(work, item)] = item

        fill()
        try:
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    item = waiting.pop(future)
                    yield item, future.result()
                fill()
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
