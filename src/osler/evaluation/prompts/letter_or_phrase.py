"""A choice is to be answered by its letter, a question without options by a short phrase."""

from osler.evaluation.prompt import Prompt

PROMPT = Prompt(
    version="1",
    suffix={"choice": "Answer with the letter of one option.", "open": "Answer with a short phrase."},
)
