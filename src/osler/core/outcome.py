"""Outcome: what a finished command tells the command line to put into the manifest."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """Seeds used, things counted, and one line for the person at the terminal.

    is_finished: False where other processes have yet to do their part, so that the folder gets no manifest.
    """

    message: str
    seeds: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    is_finished: bool = True
