"""Evaluations: what `osler eval` and `osler score` left in a folder, as a report reads it."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from osler.core.config import Recipe, first_problem, load_recipe
from osler.core.errors import InputError
from osler.core.files import read_json, sha256_file
from osler.schema.base import Record
from osler.schema.manifest import Manifest
from osler.schema.result import Result

T = TypeVar("T", bound=Record)
_OF_A_ROW = {"task", "metric", "value", "ci_low", "ci_high", "ci_method", "n", "n_clusters", "unparsed"}


class Said(Record, extra="ignore"):
    """What the model said to a case under one condition.

    rule, words, span: by which rule it was read, in which words, and where these stand in `raw`; evaluations of before
    did not keep them. score: the item's own; None where it has none.
    """

    raw: str
    parsed: str | None = None
    status: str
    correct: bool | None = None
    score: float | None = None
    rule: str = ""
    words: str = ""
    span: tuple[int, int] | None = None
    shown_item_id: str = ""


class Case(Record, extra="ignore"):
    """One item with its images, its gold answer and what was said to it; `folder` holds the images.

    metric: tells right from wrong. verdict: of a check against the training data, "" where nobody checked.
    """

    task: str
    item_id: str
    question: str
    gold: str
    gold_text: str = ""
    options: tuple[str, ...] = ()
    predictions: dict[str, Said]
    images: tuple[str, ...] = ()
    images_not_shown: tuple[dict[str, Any], ...] = ()
    metric: str = ""
    verdict: str = ""
    outcome: Literal["right", "wrong", "unparsed"]
    folder: Path = Path()


class Subset(Record, extra="ignore"):
    """The score of one part of a task: the items whose value in `column` is `part`."""

    task: str
    metric: str
    column: str
    part: str
    value: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int
    n_clusters: int | None = None
    unparsed: int | None = None


class Repeats(Record, extra="ignore"):
    """Of `asked` questions, `answered` got a second answer; `raw` of these differ, `parsed` of them in the score."""

    asked: int = 0
    answered: int = 0
    raw: int = 0
    parsed: int = 0


@dataclass(frozen=True)
class Evaluation:
    """One folder. name: how the report calls it, no two alike. repeats: None where no question was asked twice.

    recipe: as it was resolved. decode: how the engine decoded, as far as it says. predictions_sha256: "" without them.
    compared_sha256: of what `osler compare` reads, the predictions or what a judge made of them.
    """

    folder: Path
    name: str
    results: tuple[Result, ...]
    cases: tuple[Case, ...]
    subsets: tuple[Subset, ...] = ()
    repeats: Repeats | None = None
    decode: tuple[tuple[str, str], ...] = ()
    recipe: Recipe | None = None
    manifest: Manifest | None = None
    predictions_sha256: str = ""
    compared_sha256: str = ""


def read_evaluation(folder: Path, manifest: Manifest | None) -> Evaluation:
    """Read one folder. Raises InputError where its results are missing, or a file is not what it should be."""
    results = tuple(checked(Result, row, folder / "results.json") for row in _list(folder / "results.json"))
    models = list(dict.fromkeys(result.model for result in results))
    canary, recipe = folder / "canary.json", folder / "recipe.yaml"
    judged, predictions = folder / "item_scores.jsonl", folder / "predictions.jsonl"
    predictions_sha256 = sha256_file(predictions) if predictions.is_file() else ""
    return Evaluation(
        folder=folder,
        name=", ".join(models) or "no model",
        results=results,
        cases=_cases(folder),
        subsets=_subsets(folder),
        repeats=checked(Repeats, _mapping(canary).get("all", {}), canary) if canary.is_file() else None,
        decode=_decode(folder / "decode.json"),
        recipe=load_recipe(recipe) if recipe.is_file() else None,
        manifest=manifest,
        predictions_sha256=predictions_sha256,
        compared_sha256=sha256_file(judged) if judged.is_file() else predictions_sha256,
    )


def named(evaluations: tuple[Evaluation, ...]) -> tuple[Evaluation, ...]:
    """The same, where two are called alike with their folders added to their names."""
    counts = Counter(each.name for each in evaluations)
    return tuple(
        replace(each, name=f"{each.name} ({each.folder})") if counts[each.name] > 1 else each for each in evaluations
    )


def _cases(folder: Path) -> tuple[Case, ...]:
    path = folder / "cases.json"
    if not path.is_file():
        return ()
    return tuple(checked(Case, {**row, "folder": folder}, path) for row in _list(path))


def _list(path: Path) -> list[Any]:
    rows = read_json(path)
    if not isinstance(rows, list):
        raise InputError(f"cannot read {path}", expected="a list of records", got=type(rows).__name__)
    return rows


def checked(kind: type[T], row: Any, path: Path) -> T:
    """The row as a record. Raises InputError that names the file and the field."""
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        raise InputError(
            f"cannot read {path}: {first_problem(error)}", fix="Make it again with this version of osler."
        ) from error


def _subsets(folder: Path) -> tuple[Subset, ...]:
    path = folder / "subgroups.json"
    found = []
    for row in _list(path) if path.is_file() else ():
        columns = [key for key in row if key not in _OF_A_ROW]
        if len(columns) != 1:
            raise InputError(
                f"cannot read {path}", expected="one column beside the score", got=", ".join(columns) or "none"
            )
        found.append(checked(Subset, {**row, "column": columns[0], "part": str(row[columns[0]])}, path))
    return tuple(found)


def _decode(path: Path) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(value)) for key, value in _mapping(path).items()) if path.is_file() else ()


def _mapping(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise InputError(f"cannot read {path}", expected="a mapping", got=type(found).__name__)
    return found
