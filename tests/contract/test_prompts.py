"""What every prompt owes: words for known kinds of answer, and a version that is raised when the words change."""

import json
from pathlib import Path
from typing import get_args

import pytest

from osler.core.catalog import PROMPTS
from osler.evaluation.prompt import Prompt
from osler.schema.sample import Answer

KINDS = get_args(Answer.model_fields["kind"].annotation)
# The hash of every version there has been. A prompt whose words change gets a new version and a new line here.
KNOWN = json.loads((Path(__file__).parents[1] / "golden" / "prompts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PROMPTS.names())
def test_the_words_of_a_version_never_change(name):
    prompt: Prompt = PROMPTS.load(name)
    assert KNOWN.get(f"{name}/{prompt.version}") == prompt.sha256, "raise the version and add its hash"
    assert prompt.signature(name) == f"{name}/{prompt.version}#{prompt.sha256[:8]}"


@pytest.mark.parametrize("name", PROMPTS.names())
def test_words_are_for_kinds_that_there_are(name):
    prompt: Prompt = PROMPTS.load(name)
    assert set(prompt.suffix) <= set(KINDS)
    assert all(words == words.strip() and words for words in prompt.suffix.values())
    assert PROMPTS.summary(name).endswith(".")
