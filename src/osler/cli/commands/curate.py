"""Raw datasets to sample shards; every drop has a reason."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.curate.run")
