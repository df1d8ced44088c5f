"""Raw datasets to sample shards; every drop has a reason. `curate check` finds evaluation items in shards."""

import argparse
from pathlib import Path

from osler.cli.arguments import Command, add_recipe_arguments
from osler.core.errors import InputError

_CHECK = Path("check")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument(
        "--against",
        metavar="SET,...",
        help="after `check TRAIN`: evaluation sets by name, NAME=FOLDER or folder of shards",
    )


def _run(arguments: argparse.Namespace) -> int:
    from osler.cli.recipe_command import run_recipe
    from osler.core.config import load_recipe

    if arguments.recipe == _CHECK:
        return run_recipe("osler.curate.check", _check_recipe(arguments), arguments)
    if arguments.against is not None:
        raise InputError(
            "--against belongs to a check", fix="Use `osler curate check TRAIN --against SET,... --out DIR`."
        )
    return run_recipe("osler.curate.run", load_recipe(arguments.recipe, arguments.overrides), arguments)


def _check_recipe(arguments: argparse.Namespace) -> dict[str, object]:
    train = arguments.overrides
    if len(train) != 1 or arguments.against is None:
        raise InputError(
            "a check needs one folder of training shards and the evaluation sets",
            expected="osler curate check TRAIN --against SET,... --out DIR",
        )
    return {"train": train[0], "against": [name for name in arguments.against.split(",") if name]}


COMMAND = Command(_add_arguments, _run)
