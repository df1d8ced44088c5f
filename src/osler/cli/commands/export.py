"""Write a trained model for engines: bf16, MXFP4 experts, vLLM, LLaVA."""

from osler.cli.recipe_command import recipe_command

COMMAND = recipe_command("osler.model.export")
