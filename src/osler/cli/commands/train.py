"""Run one training stage on shards: align, midtrain, instruct, ..."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.train.run")
