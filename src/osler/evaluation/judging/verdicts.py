"""Verdicts: what readers said on the served page, one line of JSON a case, as its export writes them.

There both models answer while the reader waits; both answers are shown at once, on sides drawn by reader and case.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints, ValidationError

from osler.core.config import first_problem
from osler.core.errors import InputError
from osler.core.files import existing_file, sha256_json
from osler.evaluation.judging.readers import Duel
from osler.schema.base import Record
from osler.scoring.preference import Outcome, Verdict, outcome_of

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PageVerdict(Record):
    """A line. `first` stood on side `first_is`; verdict null: an answer could not be had, and the case was left out.

    images, question, answers: SHA-256 of what was shown; `answers` of `first` and of `second`. seed: of the sides.
    seconds: from when both answers were shown until the verdict was kept.
    """

    schema_version: Literal[1]
    reader: Annotated[str, StringConstraints(pattern=r"^[\w-]{1,40}$")]
    seed: str
    first: str
    second: str
    item_id: str
    cluster: str
    task: str = ""
    images: tuple[_Sha256, ...] = ()
    question: str = ""
    answers: tuple[_Sha256, _Sha256] | None = None
    first_is: Literal["left", "right"] | None = None
    verdict: Verdict | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdicts:
    """All lines of some exports.

    models: in the order of their names. duels: by key; the same images, question and answers are one duel for all
    readers, and their words are not known here. outcomes: by reader and key. left_out: cases by reader.
    """

    models: tuple[str, ...]
    duels: Mapping[str, Duel]
    outcomes: Mapping[str, Mapping[str, Outcome]]
    left_out: Counter[str]


def read_verdicts(paths: Sequence[Path]) -> Verdicts:
    """The verdicts in exports of the served page.

    Raises:
        InputError: a line is none, or a reader judged one case twice.
    """
    duels: dict[str, Duel] = {}
    outcomes: dict[str, dict[str, Outcome]] = {}
    left_out: Counter[str] = Counter()
    for path in paths:
        for number, text in enumerate(existing_file(path).read_text(encoding="utf-8").splitlines(), start=1):
            line = _line(text, f"{path} line {number}")
            own = outcomes.setdefault(line.reader, {})
            if line.verdict is None or line.first_is is None or line.answers is None:
                left_out[line.reader] += 1
                continue
            duel = _duel(line)
            if duel.key in own:
                raise InputError(
                    f"{path} line {number}: reader {line.reader} judged this case already",
                    got=line.item_id,
                    fix="Name each export once, and of several of one reading the last one alone.",
                )
            duels[duel.key] = duel
            own[duel.key] = outcome_of(line.verdict, first_is=line.first_is)
    models = sorted({name for duel in duels.values() for name in (duel.first, duel.second)})
    return Verdicts(tuple(models), duels, outcomes, left_out)


def _line(text: str, where: str) -> PageVerdict:
    try:
        line = PageVerdict.model_validate_json(text)
    except ValidationError as error:
        problem = first_problem(error, whole="line")
        raise InputError(
            f"{where} is no verdict of the served page: {problem}", fix="Export it from the page again."
        ) from error
    if line.first >= line.second:
        raise InputError(f"{where}: the models must be two, in the order of their names", got=json.dumps(line.first))
    return line


def _duel(line: PageVerdict) -> Duel:
    shown = [line.first, line.second, line.task, line.item_id, line.cluster, line.images, line.question, line.answers]
    return Duel(
        sha256_json(["page", *shown]), line.first, line.second, line.task, line.item_id, line.cluster, "", "", ""
    )
