"""Score kept predictions again, without the model."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.evaluation.score")
