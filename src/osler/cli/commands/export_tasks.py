"""Write tasks for lm-eval, lmms-eval or inspect_ai, to be asked there and scored here."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.evaluation.export_tasks")
