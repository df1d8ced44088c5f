"""Readers: which cases a person is shown, on which side each model stands, and what the person's page gives back.

Sides and order are drawn anew for each reader and case, from the seed; without it the page's ids say nothing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from osler.core.config import first_problem
from osler.core.errors import InputError
from osler.core.files import read_json, sha256_json
from osler.core.rng import generator
from osler.schema.base import Record
from osler.scoring.preference import Outcome, Verdict, outcome_of

EXPORT_VERSION = 1


@dataclass(frozen=True)
class Duel:
    """Two models' answers to one item. `question` is with its right answer; `first_text` is what `first` wrote."""

    key: str
    first: str
    second: str
    task: str
    item_id: str
    cluster: str
    question: str
    first_text: str
    second_text: str


@dataclass(frozen=True)
class ReaderCase:
    """A duel as one reader sees it: the first model's answer stands on side `first_is`."""

    id: str
    duel: Duel
    first_is: Literal["left", "right"]

    @property
    def texts(self) -> tuple[str, str]:
        """What stands at the left and at the right."""
        texts = (self.duel.first_text, self.duel.second_text)
        return texts if self.first_is == "left" else (texts[1], texts[0])


@dataclass(frozen=True)
class Page:
    """What one reader is shown, in order. `id` changes with any of it."""

    id: str
    reader: str
    cases: tuple[ReaderCase, ...]

    def names_told(self) -> int:
        """In how many cases the words of an answer hold the name of one of the two models."""
        return sum(
            any(_holds(text, name) for text in case.texts for name in (case.duel.first, case.duel.second))
            for case in self.cases
        )


class Export(Record):
    """What a page gives back. answers: by case id; a case without one was not answered."""

    schema_version: Literal[1]
    page: str
    reader: str
    answers: dict[str, Verdict]


def page_of(reader: str, duels: Mapping[str, Duel], *, num_cases: int | None, seed: int) -> Page:
    """The cases of one reader. Which duels are shown is the same for all readers, so that they can be compared."""
    keys = list(duels)
    chosen = [keys[place] for place in generator(seed, "reader_cases").permutation(len(keys))[:num_cases]]
    random = generator(seed, "reader_sides", reader)
    at_left = random.random(len(chosen)) < 0.5
    cases = [
        ReaderCase(sha256_json([seed, "case", reader, key])[:16], duels[key], "left" if left else "right")
        for key, left in zip(chosen, at_left, strict=True)
    ]
    cases = [cases[place] for place in random.permutation(len(cases))]
    shown = [[case.id, case.duel.question, *case.texts] for case in cases]
    return Page(sha256_json([EXPORT_VERSION, seed, reader, shown])[:16], reader, tuple(cases))


def read_export(path: Path, pages: Mapping[str, Page]) -> tuple[str, dict[str, Outcome]]:
    """The reader, and the outcome of each answered duel by its key.

    Raises:
        InputError: the file is no export, or is of another reader's, another seed's or other answers' page.
    """
    try:
        export = Export.model_validate(read_json(path))
    except ValidationError as error:
        problem = first_problem(error, whole="file")
        raise InputError(
            f"{path} is no export of a reader's page: {problem}", fix="Export it from the page again."
        ) from error
    if export.reader not in pages:
        raise InputError(
            f"{path} is of a reader that the recipe does not name", expected=", ".join(pages), got=export.reader
        )
    page = pages[export.reader]
    if export.page != page.id:
        raise InputError(
            f"{path} is of another page than this recipe makes for {export.reader}",
            expected=page.id,
            got=export.page,
            fix="Keep answers, data, readers, num_cases and seed as they were when the page was written.",
        )
    cases = {case.id: case for case in page.cases}
    unknown = sorted(set(export.answers) - set(cases))
    if unknown:
        raise InputError(f"{path} answers {len(unknown)} cases that its page does not show", got=unknown[0])
    return export.reader, {
        cases[id].duel.key: outcome_of(verdict, first_is=cases[id].first_is) for id, verdict in export.answers.items()
    }


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
