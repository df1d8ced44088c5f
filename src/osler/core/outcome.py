"""Outcome: what a finished command tells the command line to put into the manifest."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """Seeds used, things counted, and one line for the person at the terminal."""

    message: str
    seeds: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
