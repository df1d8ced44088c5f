"""A choice is to be answered by its letter."""

from osler.evaluation.prompt import Prompt

PROMPT = Prompt(version="1", suffix={"choice": "Answer with the letter of one option."})
