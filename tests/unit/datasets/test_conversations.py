import pytest

from osler.datasets.conversations import conversation
from osler.datasets.dataset import Skip
from osler.schema.sample import Image, Text, image

A, B = image("a.png"), image("b.png")


def talk(*words: str) -> list[dict]:
    return [{"from": ("human", "gpt")[n % 2], "value": value} for n, value in enumerate(words)]


def shown(turn) -> list[str]:
    return [part.media.path if isinstance(part, Image) else part.text for part in turn.parts]


def test_pictures_stand_where_the_words_mark_them():
    turns, answer = conversation(talk("Compare <image>\nwith <image> .", "Alike.", "Why?", " Both are grey.\n"), [A, B])
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert shown(turns[0]) == ["Compare", "a.png", "with", "b.png", "."]
    assert (shown(turns[1]), shown(turns[2])) == (["Alike."], ["Why?"])
    assert (answer.kind, answer.text) == ("text", "Both are grey.")


def test_a_later_turn_may_bring_a_picture():
    turns, _ = conversation(talk("<image>\nWhat is it?", "A film.", "And <image>?", "Another."), [A, B])
    assert [ref.path for turn in turns for ref in turn.media] == ["a.png", "b.png"]
    assert shown(turns[2]) == ["And", "b.png", "?"]


def test_unmarked_pictures_come_first_where_that_is_allowed():
    turns, _ = conversation(talk("What are they?", "Films.", "Sure?", "Yes."), [A, B], marked=False)
    assert [shown(turn) for turn in turns] == [["a.png", "b.png", "What are they?"], ["Films."], ["Sure?"]]
    marked, _ = conversation(talk("What is <image>", "A film."), [A], marked=False)
    assert shown(marked[0]) == ["What is", "a.png"]


def test_roles_and_a_system_turn():
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
    ]
    turns, answer = conversation(messages, [])
    assert [(turn.role, turn.text) for turn in turns] == [("system", "Be brief."), ("user", "Hello")]
    assert answer.text == "Hi" and all(isinstance(part, Text) for turn in turns for part in turn.parts)


@pytest.mark.parametrize(
    ("messages", "images", "reason"),
    [
        (None, [], "no conversation: a row without turns"),
        ([], [], "no conversation: a row without turns"),
        (["What?"], [], "unknown speaker: turn 1 is of ''"),
        ([{"from": "robot", "value": "Hi"}], [], "unknown speaker: turn 1 is of 'robot'"),
        ([{"value": "Hi"}], [], "unknown speaker: turn 1 is of 'None'"),
        (talk("<image>\n", "A film."), [A], "empty turn: turn 1, the user's"),
        (talk("What?", " "), [], "empty turn: turn 2, the assistant's"),
        ([{"from": "human", "value": None}], [], "empty turn: turn 1, the user's"),
        (talk("What?", "See <image>"), [A], "image mark outside a question: turn 2, the assistant's"),
        (talk("What?", "That.", "Why?"), [], "no answer: the last turn is the user's"),
        (talk("What?")[:1] + talk("Which?", "That."), [], "speakers out of turn: turn 2 is the user's"),
        (talk("What?", "That.")[1:], [], "speakers out of turn: turn 1 is the assistant's"),
        (talk("What?", "That."), [A], "no image mark: the words do not say where 1 pictures belong"),
        (talk("What is <image>?", "That."), [], "image marks do not match: 1 marks for 0 pictures"),
        (talk("What is <image>?", "That."), [A, B], "image marks do not match: 1 marks for 2 pictures"),
    ],
)
def test_a_row_that_is_no_conversation_says_why(messages, images, reason):
    assert conversation(messages, images) == Skip(reason)
