"""What a person sees while a command works: lines on stderr, a bar on a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_PLAIN_INTERVAL_S = 10.0


@dataclass(frozen=True)
class Log:
    """Where messages go. `quiet` keeps warnings only."""

    quiet: bool = False

    def info(self, message: str) -> None:
        """Say what happened."""
        if not self.quiet:
            print(message, file=sys.stderr, flush=True)

    def warn(self, message: str) -> None:
        """Say what the user should look at."""
        print(f"warning: {message}", file=sys.stderr, flush=True)

    def progress(self, items: Iterable[T], label: str, *, total: int | None = None, unit: str = "items") -> Iterator[T]:
        """Yield `items` under a progress bar with rate and time left; plain lines where there is no terminal."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        if self.quiet:
            yield from items
        elif sys.stderr.isatty():
            yield from _bar(items, label, total, unit)
        else:
            yield from _lines(items, label, total, unit)


def _bar(items: Iterable[T], label: str, total: int | None, unit: str) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:,.1f} {unit}/s")

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f}/{task.total}"), Rate())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        yield from bar.track(items, total=total, description=label)


def _lines(items: Iterable[T], label: str, total: int | None, unit: str) -> Iterator[T]:
    start = said = time.monotonic()
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - said >= _PLAIN_INTERVAL_S:
            said = now
            rate = done / (now - start)
            left = f", {(total - done) / rate:.0f} s left" if total else ""
            print(f"{label}: {done}/{total or '?'}, {rate:.1f} {unit}/s{left}", file=sys.stderr, flush=True)
    seconds = time.monotonic() - start
    print(f"{label}: {done} {unit} in {seconds:.1f} s", file=sys.stderr, flush=True)
