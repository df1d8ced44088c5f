"""Score a run's kept predictions (by recipe or by its folder), or another program's log, without the model."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from osler.cli.arguments import Command, add_recipe_arguments
from osler.cli.recipe_command import load_work, run_recipe
from osler.core.errors import InputError

if TYPE_CHECKING:
    from osler.core.config import Recipe

_COMPARE = "osler.evaluation.compare_parsers"
_OF_SCORES = ("metrics", "model_name", "metric_weights")
"""Keys of a recipe of `osler score` that say nothing to a comparison."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument(
        "--compare-parsers", action="store_true", help="print the scores that other programs' rules give the same run"
    )


def _run(arguments: argparse.Namespace) -> int:
    recipe = _recipe(arguments.recipe, arguments.overrides)
    if arguments.compare_parsers:
        return _compare(recipe, arguments)
    return run_recipe("osler.evaluation.score", recipe, arguments)


def _recipe(path: Path, overrides: list[str]) -> "Recipe":
    """The recipe's file, or for an output folder of `osler eval` the recipe that scores its predictions."""
    from osler.core.config import apply_override, load_recipe

    if not path.is_dir():
        return load_recipe(path, overrides)
    predictions = path / "predictions.jsonl"
    if not predictions.is_file():
        raise InputError(f"{path} holds no predictions.jsonl", expected="an output folder of osler eval, or a recipe")
    recipe: Recipe = {"predictions": str(predictions)}
    for override in overrides:
        apply_override(recipe, override)
    return recipe


def _compare(recipe: "Recipe", arguments: argparse.Namespace) -> int:
    """Print the table; with --out, write it first."""
    work = load_work(_COMPARE)
    recipe = {key: value for key, value in recipe.items() if key not in _OF_SCORES}
    config = work.parse(recipe)
    if arguments.out is not None or arguments.dry_run:
        code = run_recipe(_COMPARE, recipe, arguments)
        if code or arguments.dry_run:
            return code
    print("\n".join(work.table_lines(*work.compare(config))))
    return 0


COMMAND = Command(_add_arguments, _run)
