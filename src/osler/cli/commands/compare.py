"""Compare two output folders: in what their recipes differ, and by how much their scores."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from osler.cli.arguments import Command

if TYPE_CHECKING:
    from osler.schema.result import Result


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A", help="an output folder")
    parser.add_argument("second", type=Path, metavar="B", help="another")


def _run(arguments: argparse.Namespace) -> int:
    from osler.core.files import existing_folder

    first, second = existing_folder(arguments.first), existing_folder(arguments.second)
    _print_recipes(first, second)
    _print_results(first, second)
    return 0


def _print_recipes(first: Path, second: Path) -> None:
    from osler.cli.outfolder import RECIPE, differences
    from osler.core.config import load_recipe

    rows = differences(load_recipe(first / RECIPE), load_recipe(second / RECIPE))
    print("recipe: the same" if not rows else "recipe:")
    for key, before, now in rows:
        print(f"  {key}: {before!r} -> {now!r}")


def _print_results(first: Path, second: Path) -> None:
    left, right = _results(first), _results(second)
    if not left and not right:
        print("scores: neither folder holds results.json")
        return
    print("scores (value [95 % interval] n):")
    for key in sorted(left.keys() | right.keys()):
        one, other = left.get(key), right.get(key)
        print(f"  {' '.join(key).strip()}: {_score(one)} -> {_score(other)}{_change(one, other)}")


def _results(folder: Path) -> dict[tuple[str, str, str], "Result"]:
    from osler.core.files import read_json
    from osler.schema.result import Result

    path = folder / "results.json"
    rows = read_json(path) if path.is_file() else []
    results = [Result.model_validate(row) for row in rows]
    several = len({row.model for row in results}) > 1  # with one model on each side, its name may differ
    return {(row.task, row.metric, row.model if several else ""): row for row in results}


def _score(result: "Result | None") -> str:
    if result is None or result.value is None:
        return "not measured"
    interval = "" if result.ci_low is None else f" [{result.ci_low:.3f}, {result.ci_high:.3f}]"
    return f"{result.value:.3f}{interval} n={result.n}"


def _change(one: "Result | None", other: "Result | None") -> str:
    if one is None or other is None or one.value is None or other.value is None:
        return ""
    note = f", {other.value - one.value:+.3f}"
    if one.dataset_ids_sha256 != other.dataset_ids_sha256:
        return note + " (asked about different items: not comparable)"
    if one.metric_signature != other.metric_signature:
        return note + " (scored by different variants of the metric: not comparable)"
    return note + (" (the intervals overlap)" if _overlap(one, other) else "")


def _overlap(one: "Result", other: "Result") -> bool:
    """Whether both have an interval and the two share a value."""
    if one.ci_low is None or one.ci_high is None or other.ci_low is None or other.ci_high is None:
        return False
    return one.ci_low <= other.ci_high and other.ci_low <= one.ci_high


COMMAND = Command(_add_arguments, _run)
