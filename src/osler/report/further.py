"""Further measurements of encoders: records of zero-shot prompts, retrieval, robustness and understanding, by place.

A record's task is `NAME/SECTION/REST`. Records of one section that were measured under different settings (another
hash) never stand in one table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from osler.schema.result import Result

SECTIONS = ("zero_shot", "retrieval", "robustness", "understanding")
CLEAN = "clean"
PROMPT_RANGE = "macro_f1_prompt_range"


@dataclass(frozen=True)
class SectionResults:
    """The records of one section under one hash.

    distinct: whether the same report holds another hash of this section, so that tables must tell them apart.
    """

    section: str
    protocol_sha256: str
    results: tuple[Result, ...]
    distinct: bool = False

    @property
    def encoders(self) -> tuple[str, ...]:
        """In order of first appearance."""
        return tuple(dict.fromkeys(each.model for each in self.results))

    @property
    def names(self) -> tuple[str, ...]:
        """The sets or stores, in order of first appearance."""
        return tuple(dict.fromkeys(place(each)[0] for each in self.results))

    def rests(self, name: str) -> tuple[str, ...]:
        """What follows a set's or a store's name and the section in tasks, in order of first appearance."""
        return tuple(dict.fromkeys(place(each)[2] for each in self.results if place(each)[0] == name))

    def record(self, name: str, rest: str, *, metric: str, encoder: str) -> Result | None:
        """One record; None where there is none."""
        return self._cells.get((name, rest, metric, encoder))

    def row(self, name: str, rest: str, metric: str) -> tuple[Result | None, ...]:
        """The records of all encoders."""
        return tuple(self.record(name, rest, metric=metric, encoder=encoder) for encoder in self.encoders)

    @cached_property
    def _cells(self) -> dict[tuple[str, str, str, str], Result]:
        return {(place(each)[0], place(each)[2], each.metric, each.model): each for each in self.results}


def place(result: Result) -> tuple[str, str, str]:
    """Name, section and rest of a record's task; the section is "" where it is none of ours."""
    name, _, after = result.task.partition("/")
    section, _, rest = after.partition("/")
    return (name, section, rest) if section in SECTIONS else (name, "", after)


def is_shown(result: Result) -> bool:
    """Whether the tables of its section show a record; zero-shot scores stand with those of the probes."""
    section = place(result)[1]
    return section in SECTIONS[1:] or result.metric == PROMPT_RANGE


def by_section(results: Iterable[Result]) -> tuple[SectionResults, ...]:
    """The records by section and hash, sections in their order."""
    found: dict[tuple[str, str], list[Result]] = {}
    for each in results:
        section = place(each)[1]
        if section:
            found.setdefault((section, each.protocol_sha256), []).append(each)
    count = {section: sum(key[0] == section for key in found) for section in SECTIONS}
    return tuple(
        SectionResults(section, digest, tuple(own), count[section] > 1)
        for section in SECTIONS
        for (of, digest), own in found.items()
        if of == section
    )
