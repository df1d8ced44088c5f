"""Results and training runs to one page, report.html."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.report.run")
