"""Let a model learn from its own replies: GRPO with verifiable rewards, DPO from pairs, rejection sampling."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.rl.run")
