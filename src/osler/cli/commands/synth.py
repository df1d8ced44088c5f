"""Draw phantoms, or make reasoning samples, into shards."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.synth.run")
