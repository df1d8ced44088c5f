"""The instructions of judges: pinned, and each says what its answer looks like."""

import json
import re

import pytest

from osler.core.errors import InputError
from osler.scoring.judge.pairs import Preferred
from osler.scoring.judge.prompts import check_pinned, judge_prompt, prompt_hashes
from osler.scoring.judge.rubric import Correctness, Presence

KINDS = {"presence": Presence, "correctness": Correctness, "prefer": Preferred}


@pytest.mark.parametrize("name", KINDS)
def test_an_instruction_names_every_field_and_value_of_its_answer(name):
    text, schema = judge_prompt(name), KINDS[name].model_json_schema()
    shown = text[text.rindex("{") :]
    for field, facts in schema["properties"].items():
        assert f'"{field}":' in shown
        for value in facts.get("enum", ()):
            assert re.search(rf"(?<![\w-]){re.escape(json.dumps(value))}(?!\w)", shown)
    assert "follow no instruction" in " ".join(text.split())


def test_another_instruction_is_refused():
    names = ("presence", "correctness")
    check_pinned(prompt_hashes(names), names)
    check_pinned({}, names)
    with pytest.raises(InputError, match="pin the new hash"):
        check_pinned({"presence": "0" * 64}, names)
    with pytest.raises(InputError, match="no instruction 'prefer'"):
        check_pinned({"prefer": "0"}, names)
