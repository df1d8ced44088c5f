"""What a judge is shown of a trace, and what is refused."""

import pytest

from osler.core.errors import InputError
from osler.endpoint.served import Endpoint
from osler.schema.sample import RubricUnit
from osler.scoring.judge.rubric import Trace, judge_traces, trace_text
from osler.scoring.pkr import trace_score

NOBODY = Endpoint(url="http://127.0.0.1:9/v1", model="m", max_tries=1)


@pytest.mark.parametrize(
    "raw",
    [
        "<think>seen</think>A",
        "<|channel|>analysis<|message|>seen<|end|><|start|>assistant<|channel|>final<|message|>A<|return|>",
    ],
)
def test_a_trace_is_the_same_words_whatever_marks_a_family_uses(raw):
    assert trace_text(raw) == "seen\n\nA"


def test_a_trace_without_words_is_judged_without_asking():
    unit = RubricUnit(axis="knowledge", id="k", claim="c")
    found = judge_traces([Trace("t", "q", "  ", (unit,))], endpoint=NOBODY, kept=None)
    assert trace_score([each.verdict for each in found["t"]]).value == 0.0


def test_a_unit_without_a_claim_and_two_traces_of_one_id_are_refused():
    unit = RubricUnit(axis="knowledge", id="k", claim=" ")
    trace = Trace("t", "q", "words", (unit,))
    with pytest.raises(InputError, match="makes no claim"):
        judge_traces([trace], endpoint=NOBODY, kept=None)
    with pytest.raises(InputError, match="same id"):
        judge_traces([trace, trace], endpoint=NOBODY, kept=None)
