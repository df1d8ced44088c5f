"""Ask a model the items of tasks; write predictions and scores."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.evaluation.run")
