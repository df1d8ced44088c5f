"""Compare image encoders on labelled sets under one protocol: probes, fine-tuning, intervals, tests and ranks."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.transfer.run")
