"""Run one training stage on shards: align, midtrain, instruct, ..."""

import argparse

from osler.cli.arguments import Command, add_recipe_arguments
from osler.cli.recipe_command import load_work, run_recipe

_MODULE = "osler.train.run"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_recipe_arguments(parser)
    parser.add_argument("--plan", action="store_true", help="print memory, speed and hours of this run and stop")


def _run(arguments: argparse.Namespace) -> int:
    from osler.core.config import load_recipe

    recipe = load_recipe(arguments.recipe, arguments.overrides)
    planning = load_work("osler.train.plan")
    if not arguments.plan:
        return run_recipe(_MODULE, planning.without_plan(recipe), arguments)
    plan = planning.make_plan(*planning.parse(recipe))
    print(load_work("osler.train.plan_lines").plan_lines(plan))
    planning.refuse_too_little(plan)
    return 0


COMMAND = Command(_add_arguments, _run)
