"""The words of `short_answer` in Chinese, for questions in Chinese."""

from osler.evaluation.prompt import Prompt

PROMPT = Prompt(version="1", suffix={"closed": "请用一个词回答。", "open": "请用一个短语回答。"})
