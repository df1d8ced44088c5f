"""Judged: who is preferred over whom, how strong several models are, and how those who judged agree."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from osler.core.errors import InputError
from osler.core.files import existing_file, read_json
from osler.report.evaluations import checked
from osler.schema.base import Record


class Estimate(Record, extra="ignore"):
    """A value and its interval; None where it was not measured."""

    value: float | None
    low: float | None
    high: float | None


class Chance(Record, extra="ignore"):
    """A two-sided p."""

    p: float


class WinRate(Record, extra="ignore"):
    """Of the first model against the second: mean points, and the share won of the pairs that one of them won."""

    first: str
    second: str
    n: int
    n_clusters: int
    counts: dict[str, int]
    rate: Estimate
    decided: Estimate
    p: Chance


class Rater(Record, extra="ignore"):
    """What one rater made of the pairs. log_strengths: Bradley-Terry, by model."""

    rater: str
    n: int
    counts: dict[str, int] = {}
    win_rates: tuple[WinRate, ...]
    log_strengths: dict[str, Estimate]


class Agreement(Record, extra="ignore"):
    """How raters agree about something."""

    about: str
    raters: tuple[str, ...]
    n: int
    n_clusters: int
    observed: float | None
    kappa: float | None
    alpha: Estimate


class _File(Record, extra="ignore"):
    schema_version: Literal[1]
    models: tuple[str, ...]
    num_pairs: int
    left_out: dict[str, int] = {}
    raters: tuple[Rater, ...]
    agreement: tuple[Agreement, ...] = ()


@dataclass(frozen=True)
class Preferred:
    """One folder of `osler score` with `method: preference`."""

    folder: Path
    models: tuple[str, ...]
    num_pairs: int
    left_out: dict[str, int]
    raters: tuple[Rater, ...]
    agreement: tuple[Agreement, ...]


@dataclass(frozen=True)
class Judged:
    """agreements: by folder of `osler score` with `method: rubric`, those of its judges and people."""

    preferred: tuple[Preferred, ...]
    agreements: tuple[tuple[Path, tuple[Agreement, ...]], ...]


def read_judged(preferences: tuple[Path, ...], results: tuple[Path, ...]) -> Judged:
    """What `preferences` hold, and the agreement of judges in those of `results` that were judged.

    Raises:
        InputError: a folder of `preferences` is none of `osler score` with `method: preference`.
    """
    found = []
    for folder in preferences:
        if not (folder / "preference.json").is_file():
            raise InputError(
                f"{folder} holds no preferences",
                expected="a folder of osler score with method: preference",
                got="no preference.json",
            )
        read = checked(_File, _mapping(folder / "preference.json"), folder / "preference.json")
        found.append(Preferred(folder, read.models, read.num_pairs, read.left_out, read.raters, read.agreement))
    agreements = []
    for folder in results:
        if (path := folder / "agreement.json").is_file():
            rows = tuple(checked(Agreement, row, path) for row in read_json(existing_file(path)))
            agreements += [(folder, rows)] if rows else []
    return Judged(tuple(found), tuple(agreements))


def _mapping(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"cannot read {path}", expected="a record", got=type(found).__name__)
    return found
