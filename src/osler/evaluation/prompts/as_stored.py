"""The question as the adapter words it, nothing added."""

from osler.evaluation.prompt import Prompt

PROMPT = Prompt(version="1")
