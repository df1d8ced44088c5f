import math

import pytest

from osler.datasets.choices import choice_sample, lettered, named, option_lines
from osler.datasets.dataset import Skip


def test_missing_options_at_the_end_are_left_out():
    for missing in (None, math.nan, " "):
        sample = choice_sample("Which?", ["one", 2, missing], 1, tags=("t",), group="g", reasoning="Hm.")
        assert sample.question == "Which?\nA. one\nB. 2" and sample.answer.options == ("one", "2")
        assert (sample.answer.letter, sample.tags, sample.group, sample.reasoning) == ("B", ("t",), "g", "Hm.")


@pytest.mark.parametrize(
    ("options", "right", "reason"),
    [
        (["one", None, "three"], 0, "an option is missing: blank before the last one"),
        (["one"], 0, "no options: fewer than two"),
        (["one", "two"], 2, "the answer is not among the options: number 3 of 2"),
        (["one", "two"], -1, "the answer is not among the options: number 0 of 2"),
        (["one", "two", "one "], 0, "two options have the words of the right one"),
    ],
)
def test_what_cannot_be_asked_fairly_is_skipped(options, right, reason):
    assert choice_sample("Which?", options, right) == Skip(reason)


def test_the_same_words_twice_among_the_wrong_ones_are_no_matter():
    assert choice_sample("Which?", ["one", "two", "two"], 0).answer.text == "one"


def test_options_are_asked_in_the_order_of_their_keys():
    assert lettered("Which?", {"2": "b", "1": "a", "3": None}, "2").question == "Which?\nA. a\nB. b"
    assert lettered("Which?", {"A": "a", "B": "b"}, None) == Skip("the answer is not published")
    assert lettered("Which?", {"A": "a", "B": "b"}, "b") == Skip("the answer is not among the options: 'b'")


def test_option_lines_need_letters_in_order():
    assert option_lines("Answer Choices:\nA. one\n(B) two: 2\n C) three") == ("one", "two: 2", "three")
    assert option_lines("A. one\nC. three") == () == option_lines("A. one") == option_lines("")


def test_an_answer_names_the_longest_option_it_begins_with():
    options = ("Heart", "Heart valve", "Lung")
    assert named("Heart valve. Explanation: Lung", options) == 1
    assert named("heart, of course", options) == 0
    assert named("Hearts", options) == -1 == named("", options) == named("It is the lung", options)
    assert named("one.", ("one", "two", "one")) == -1
