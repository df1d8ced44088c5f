import pytest

from osler.schema.sample import Answer, choice, closed
from osler.scoring.extract import read_reply
from osler.scoring.reading import reading_of

CHOICE = choice("effusion", ("edema", "effusion", "nodule"))
NUMBER = Answer(kind="number", text="3")
OPEN = Answer(kind="open", text="left lung")


def read(raw, answer):
    found = read_reply(raw, answer)
    return reading_of(raw, answer, status=found.status, parsed=found.parsed)


@pytest.mark.parametrize(
    ("raw", "answer", "rule", "words"),
    [
        ("B", CHOICE, "a letter alone", "B"),
        ("It is wide. The answer is B.", CHOICE, "answer: letter", "answer is B"),
        ("so \\boxed{B}", CHOICE, "boxed letter", "\\boxed{B}"),
        ("Option B", CHOICE, "option letter", "Option B"),
        ("B. effusion", CHOICE, "a letter and its option's words", "B. effusion"),
        ("Effusion.", CHOICE, "the exact words of one option", "Effusion."),
        ("<think>A, no</think>Yes, it is.", closed("yes"), "a label leads the reply", "Yes"),
        ("There are 3 of them", NUMBER, "the only number", "3"),
        ("three", NUMBER, "the only number", "three"),
        ("the left lung", OPEN, "the whole reply", "the left lung"),
    ],
)
def test_the_words_that_were_read_stand_where_the_span_says(raw, answer, rule, words):
    found = read(raw, answer)
    assert (found.rule, found.words) == (rule, words)
    assert found.span is not None and raw[slice(*found.span)] == words


def test_the_final_words_are_marked_and_not_the_thoughts_before_them():
    raw = "<think>B</think>B"
    assert read(raw, CHOICE).span == (len(raw) - 1, len(raw))


@pytest.mark.parametrize(
    ("raw", "answer", "rule"),
    [
        ("A or B", CHOICE, "no letter is declared alone and without doubt"),
        ("perhaps", closed("yes"), "no label leads the reply uncontradicted"),
        ("3 or 4", NUMBER, "not exactly one plain number"),
        ("I cannot answer that.", CHOICE, "the reply refuses"),
        ("<think>B", CHOICE, "the reply was cut before its end"),
        ("", OPEN, "the reply is empty"),
    ],
)
def test_without_an_answer_the_reason_is_given_and_no_words(raw, answer, rule):
    assert read(raw, answer) == (rule, "", None)


def test_words_that_were_changed_before_reading_have_no_place():
    found = read("the  answer   is" + " " * 40 + "B", CHOICE)
    assert found.rule == "answer: letter" and found.span is None
