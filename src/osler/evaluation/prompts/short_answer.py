"""One word for a closed question, a short phrase for an open one."""

from osler.evaluation.prompt import Prompt

PROMPT = Prompt(version="1", suffix={"closed": "Answer with one word.", "open": "Answer with a short phrase."})
