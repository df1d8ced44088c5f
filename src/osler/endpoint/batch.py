"""Batch: many requests at once, in a bounded number of threads, over one or several endpoints, at a bounded rate."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


class RateLimit:
    """At most `per_minute` starts in any minute, evenly spaced; None sets no limit. Threads may share it."""

    def __init__(
        self,
        per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap_s = 60.0 / per_minute if per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next start is due."""
        if not self._gap_s:
            return
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + self._gap_s
        if start > now:
            self._sleep(start - now)


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
