"""Compare two output folders: in what their recipes differ, and by how much their scores, item by item."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from osler.cli.arguments import Command

if TYPE_CHECKING:
    from osler.evaluation.compare import Comparison
    from osler.schema.result import Result

_COLUMNS = ("task", "metric", "n", "clusters", "A", "B", "difference", "test", "p", "p (Holm)", "MDE")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A", help="an output folder")
    parser.add_argument("second", type=Path, metavar="B", help="another")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the paired comparison here, too")


def _run(arguments: argparse.Namespace) -> int:
    from osler.core.files import existing_folder
    from osler.evaluation.compare import compare_runs, has_run
    from osler.evaluation.compare_judged import compare_judged, has_item_scores

    first, second = existing_folder(arguments.first), existing_folder(arguments.second)
    judged = has_item_scores(first) and has_item_scores(second)
    paired = judged or (has_run(first) and has_run(second))
    if arguments.out is not None:
        _check_out(arguments.out, first, second, paired=paired)
    _print_recipes(first, second)
    if not paired:
        _print_results(first, second)
        return 0
    rows = (compare_judged if judged else compare_runs)(first, second)
    _print_comparisons(rows)
    if arguments.out is not None:
        _write(arguments.out, rows, first, second)
    return 0


def _check_out(out: Path, first: Path, second: Path, *, paired: bool) -> None:
    """Refuse what could not be written after all the work, or would change a run."""
    from osler.core.errors import InputError

    if not paired:
        raise InputError(
            "there is no paired comparison to write",
            expected=f"results.json and predictions.jsonl, or item_scores.jsonl, in {first} and in {second}",
            fix="Compare folders of osler eval or osler score, or leave --out away.",
        )
    if out.is_dir():
        raise InputError(f"cannot write to {out}", expected="a file such as differences.json", got="a folder")
    if any(out.resolve().is_relative_to(folder.resolve()) for folder in (first, second)):
        raise InputError(f"{out} lies in a folder that is compared", fix="Write somewhere else.")


def _write(out: Path, rows: "list[Comparison]", first: Path, second: Path) -> None:
    from osler.core.files import sha256_file, write_json
    from osler.evaluation.compare_judged import has_item_scores
    from osler.evaluation.item_scores import FILE

    compared = FILE if has_item_scores(first) and has_item_scores(second) else "predictions.jsonl"
    runs = [{"folder": str(run), "predictions_sha256": sha256_file(run / compared)} for run in (first, second)]
    comparisons = [row.model_dump(mode="json") for row in rows]
    write_json(out, {"schema_version": 1, "first": runs[0], "second": runs[1], "comparisons": comparisons})


def _print_recipes(first: Path, second: Path) -> None:
    from osler.cli.outfolder import RECIPE, differences
    from osler.core.config import load_recipe

    rows = differences(load_recipe(first / RECIPE), load_recipe(second / RECIPE))
    print("recipe: the same" if not rows else "recipe:")
    for key, before, now in rows:
        print(f"  {key}: {before!r} -> {now!r}")


def _print_comparisons(rows: "list[Comparison]") -> None:
    print("scores on the same items (difference: B - A, with its 95 % interval; p by Holm over all rows):")
    table = [_COLUMNS, *map(_row, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        print("  " + "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())
    for note in dict.fromkeys(f"{row.task}: {note}" for row in rows for note in row.difference.notes):
        print(f"  {note}")
    print("  MDE: the smallest true difference that a comparison like this one finds with probability 0.8")


def _row(row: "Comparison") -> tuple[str, ...]:
    found = row.difference
    bounds = "" if found.ci_low is None else f" [{found.ci_low:+.3f}, {found.ci_high:+.3f}]"
    return (
        row.task,
        row.metric,
        str(found.n),
        str(found.n_clusters),
        _number(row.first),
        _number(row.second),
        ("not measured" if found.value is None else f"{found.value:+.3f}") + bounds,
        found.test,
        _probability(found.p),
        _probability(found.p_holm),
        _number(found.mde),
    )


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _probability(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2g}" if value < 0.001 else f"{value:.4f}"


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
