"""HOUSE.md, How a parameter travels: the command line declares no parameter of its own.

These lists are frozen. A new option needs a reason why it is not a key of a recipe.
"""

import pytest

from osler.cli.arguments import command_parser
from osler.cli.main import COMMANDS

RECIPE = ["RECIPE.yaml", "key=value", "--debug", "--device", "--dry-run", "--out", "--overwrite", "--quiet", "--resume"]
OPTIONS = {
    # --out keeps the comparison for a table; two folders are all that it hangs on.
    "compare": ["A", "B", "--debug", "--out"],
    # --against follows `check TRAIN`, which has no recipe of its own: two folders are all it needs to know.
    "curate": [*RECIPE[:2], "--against", *RECIPE[2:]],
    "deid": RECIPE,
    "demo_data": ["--debug", "--device", "--out", "--overwrite", "--quiet", "--resume"],
    # --metrics asks about metrics in place of the machine; a recipe after it says where their weights are.
    "doctor": ["--debug", "--metrics"],
    "eval": RECIPE,
    "export": RECIPE,
    "export_tasks": RECIPE,
    "list": ["catalogue", "--debug"],
    "report": RECIPE,
    "rl": RECIPE,
    # --compare-parsers asks for another answer to the same run: a table, where no score is to be kept.
    "score": [*RECIPE[:2], "--compare-parsers", *RECIPE[2:]],
    "show": ["name", "key=value", "--debug"],
    "synth": RECIPE,
    # --plan asks for another answer to the same recipe, as --dry-run does.
    "train": [*RECIPE[:-2], "--plan", *RECIPE[-2:]],
    "transfer": RECIPE,
}


def test_the_commands_are_these():
    assert COMMANDS.names() == sorted(OPTIONS)


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_a_command_takes_these_and_no_others(name):
    parser = command_parser(name, "")
    COMMANDS.load(name).add_arguments(parser)
    actions = [action for action in parser._actions if action.dest != "help"]
    places = [action.metavar or action.dest for action in actions if not action.option_strings]
    options = sorted(option for action in actions for option in action.option_strings)
    assert [*places, *options] == OPTIONS[name]
