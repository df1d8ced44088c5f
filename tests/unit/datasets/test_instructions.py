import pytest

from osler.datasets.dataset import Skip
from osler.datasets.instructions import answered, conversed, group_of, instructed


def test_an_instruction_is_asked_with_its_input():
    row = {"instruction": "Name it. ", "input": "It pumps.", "output": "<think>Hm.</think>Heart."}
    sample = instructed(row, tags=("a",), group="g")
    assert (sample.question, sample.answer.text, sample.reasoning) == ("Name it.\n\nIt pumps.", "Heart.", "Hm.")
    assert sample.answer.kind == "text" and sample.tags == ("a",) and sample.group == "g"
    assert instructed({**row, "input": "none"}, no_input="none").question == "Name it."
    assert instructed({**row, "instruction": None, "input": ""}) == Skip("the question is empty")
    assert instructed({**row, "output": None}) == Skip("the answer is empty")


def test_reasoning_published_apart_comes_before_reasoning_in_the_reply():
    assert answered("Q", "A", reasoning=" first ").reasoning == "first"
    assert answered("Q", "<think>second</think>A", reasoning="first").reasoning == "first\n\nsecond"


def test_earlier_replies_are_turns_and_the_last_is_the_answer():
    said = [("system", "Be brief."), ("human", "Hi"), ("gpt", "<think>greet</think>Hello"), ("user", "1+1?")]
    sample = conversed([*said, ("assistant", "<think>add</think>2")])
    assert [turn.role for turn in sample.turns] == ["system", "user", "assistant", "user"]
    assert sample.turns[2].text == "Hello" and sample.turns[2].reasoning == "greet"
    assert (sample.question, sample.answer.text, sample.reasoning) == ("1+1?", "2", "add")
    reason = "no answer: the conversation does not end with a question and a reply"
    assert conversed(said) == Skip(reason) == conversed([("gpt", "Hello")]) == conversed([])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([("user", "Hi"), ("tool", "x")], "unknown speaker: 'tool'"),
        ([("user", " \n"), ("gpt", "x")], "an empty turn: of the user"),
        ([("user", "Hi"), ("gpt", None)], "an empty turn: of the assistant"),
        ([("user", "Hi"), ("gpt", "<think>x")], "reasoning is not closed: <think> without </think>"),
    ],
)
def test_conversations_that_cannot_be_used_are_skipped(said, reason):
    assert conversed(said) == Skip(reason)


def test_the_same_text_is_the_same_group():
    assert group_of("a", "é") == group_of("a", "é") != group_of("a", "e") and group_of("a", "x").startswith("a/")
