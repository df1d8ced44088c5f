import pytest

from osler.datasets.dataset import Skip
from osler.datasets.vqa_med import ask, wordings


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("axial ", ("axial",)),
        ("esoghageal spasm#diverticulum", ("esoghageal spasm", "diverticulum")),
        ("ct w/contrast (iv)", ("ct w/contrast (iv)", "ct w/contrast iv", "ct w/contrast")),
        ("(iatrogenic) pneumoperitoneum", ("(iatrogenic) pneumoperitoneum", "iatrogenic pneumoperitoneum",
                                           "pneumoperitoneum")),
        ("(a) b (c)#d", ("(a) b (c)", "a b c", "a b", "b c", "b", "d")),
        ("(mri)", ("(mri)", "mri")),
        ("a (b", ("a (b",)),
        ("a##a", ("a",)),
        (" # ", ()),
    ],
)  # fmt: skip
def test_marks_tell_what_else_is_right(text, accepted):
    assert wordings(text) == accepted


def test_yes_and_no_are_closed_and_all_else_is_open():
    row = {"question": " is this a mri? ", "image": "a.jpg"}
    assert ask({**row, "answers": ("Yes",)}).answer.text == "yes"
    found = ask({**row, "answers": ("yes", "contrast")}).answer
    assert (found.kind, found.text, found.alternatives) == ("open", "yes", ("contrast",))
    assert ask({**row, "answers": ()}) == Skip("the answer is empty")
    assert ask({**row, "question": " ", "answers": ("yes",)}) == Skip("the question is empty")
