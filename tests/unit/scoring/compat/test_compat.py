"""Other programs' rules do here what was seen of them there, mistakes included."""

import numpy as np
import pytest

from osler.core.rng import generator
from osler.schema.sample import choice, closed, number, open_answer
from osler.scoring.parser import Verdict, load_parser

FOUR = ("Pneumonia", "pleural effusion", "pulmonary edema", "rib fracture")


def judged(parser: str, reply: str, answer, *, item: str = "1") -> Verdict:
    return load_parser(parser).judge(reply, answer, generator(0, item))


def gold(letter: str):
    return choice(FOUR["ABCD".index(letter)], FOUR)


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("B", "B"), ("(B)", "B"), ("The answer is (B).", "B"), ("Final Answer: C\n(A) was ruled out", "A"),
        ("A chest X-ray shows edema", "A"), ("(A) or, rather, (C)", "C"), ("I would say A or B here", "B"),
        ("The film shows a clear pulmonary edema today", "C"), ("B.", "B"), ("'B'", "B"),
    ],
)  # fmt: skip
def test_mmmu_takes_the_last_letter(reply, letter):
    assert judged("mmmu", reply, gold("B")) == Verdict(letter, float(letter == "B"))


@pytest.mark.parametrize("reply", ["", "**Answer: B**", "\\boxed{B}", "b", "pulmonary edema", "I cannot tell."])
def test_mmmu_draws_where_it_reads_nothing(reply):
    verdict = judged("mmmu", reply, gold("B"))
    assert verdict.guessed
    assert verdict.expected == 0.25
    assert verdict == judged("mmmu", reply, gold("B"))


def test_mmmu_draws_every_letter_about_as_often():
    drawn = [judged("mmmu", "", gold("B"), item=str(n)) for n in range(4000)]
    counts = [sum(verdict.parsed == letter for verdict in drawn) for letter in "ABCD"]
    assert min(counts) > 900
    assert np.mean([verdict.score for verdict in drawn]) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("reply", "answer", "score"),
    [
        ("The answer is the left lung", open_answer("lung"), 1.0), ("It is x = 1,200", number(1200), 1.0),
        ("so the result is 3.501", open_answer("3.5"), 1.0), ("3.6", number(3.5), 0.0), ("", open_answer("lung"), 0.0),
        ("It is b", open_answer("b"), 1.0),
        ("It is the rib", open_answer("b"), 0.0), ("lung is what it is. heart", open_answer("lung"), 0.0),
    ],
)  # fmt: skip
def test_mmmu_marks_open_answers_by_the_end_of_a_line(reply, answer, score):
    assert judged("mmmu", reply, answer).score == score


@pytest.mark.parametrize(
    ("reply", "letter", "guessed"),
    [
        ("", "A", True), ("answer is not A. It is B.", "A", True), ("B", "B", False), ("b\n\nbecause", "B", False),
        ("Answer: B", "B", False), ("The answer is b", "B", False), ("Option B", None, True),
        ("\\boxed{C}", "C", False), ("rib fracture", "D", False),
        ("<answer>d</answer>", "D", False), ("D. rib fracture", "D", False),
    ],
)  # fmt: skip
def test_medevalkit_takes_the_nearest_option_where_it_reads_none(reply, letter, guessed):
    """None stands for whichever is nearest: `Option B` is not seen as a letter."""
    verdict = judged("medevalkit", reply, gold("A"))
    assert verdict.guessed is guessed
    if letter is not None:
        assert (verdict.parsed, verdict.score) == (letter, float(letter == "A"))


def test_medevalkit_credits_an_empty_answer_and_a_refusal_when_a_is_right():
    refusal = "I cannot determine the answer from this image."
    options = ("Yes, pneumonia is seen in this image", "no", "x", "y")
    assert judged("medevalkit", "", gold("A")).score == 1.0
    assert judged("medevalkit", refusal, choice(options[0], options)).score == 1.0


@pytest.mark.parametrize(
    ("reply", "right", "score"),
    [
        ("The heart is normal", "no", 1.0), ("It is unknown", "no", 1.0),
        ("Yes, there is abnormal opacity", "yes", 0.0),
        ("yes, it is a nodule", "yes", 0.0), ("Yes", "yes", 1.0), ("", "no", 0.0),
    ],
)  # fmt: skip
def test_medevalkit_takes_yes_and_no_inside_words(reply, right, score):
    assert judged("medevalkit", reply, closed(right)).score == score


def test_medevalkit_compares_slake_whole_and_with_its_spaces():
    assert judged("medevalkit/slake", "Yes.", closed("yes")).score == 1.0
    assert judged("medevalkit/slake", "Yes. ", closed("yes")).score == 0.0
    assert judged("medevalkit/slake", "yes, there is", closed("yes")).score == 0.0
    assert judged("medevalkit", "yes, there is", closed("yes")).score == 1.0


def test_medevalkit_compares_open_answers_whole():
    assert judged("medevalkit", "Left Lung", open_answer("left lung")).score == 1.0
    assert judged("medevalkit", "The answer is left lung", open_answer("left lung")).score == 0.0
    assert judged("medevalkit", "", open_answer("left lung")) == Verdict(None, 0.0)


@pytest.mark.parametrize(
    ("reply", "parsed"),
    [
        ("Not C", "C"), ("It is not pneumonia", "A"), ("a patient has B lines", "B"), ("A patient has B lines", None),
        ("The correct answer is **E** because of the fluid around it", None), ("B", "B"), ("A or B", None), ("", None),
        ("The answer is B since the fluid lies low and the angle is blunt", "B"), ("Z", None),
        ("Cannot determine the answer A", None), ("pleural effusion", "B"), ("B is what I see on this film", None),
        ("pneumonia or pleural effusion", None),
    ],
)  # fmt: skip
def test_vlmevalkit_reads_as_seen(reply, parsed):
    options = (*FOUR, "none of these")
    assert judged("vlmevalkit", reply, choice(FOUR[0], options)).parsed == parsed


def test_vlmevalkit_draws_only_where_its_judge_failed():
    assert judged("vlmevalkit", "I see nothing", gold("A")) == Verdict(None, 0.0)
    drawn = [judged("vlmevalkit/judge_failed", "I see nothing", gold("A"), item=str(n)) for n in range(2000)]
    assert {verdict.parsed for verdict in drawn} == {"A", "B", "C", "D", None}
    assert all(verdict.guessed and verdict.expected == 0.2 for verdict in drawn)
    assert judged("vlmevalkit/judge_failed", "B", gold("A")) == Verdict("B", 0.0)


@pytest.mark.parametrize(
    ("reply", "right", "score", "original"),
    [
        ("The heart is normal", "no", 1.0, 1.0), ("Yes, it is", "yes", 1.0, 1.0), ("Yes, it is", "no", 0.0, None),
        ("yes, no", "no", 1.0, 1.0), ("It may be", "yes", 0.0, 0.0), ("", "yes", 0.0, 0.0),
    ],
)  # fmt: skip
def test_llava_med_marks_closed_answers_and_once_left_wrong_ones_out(reply, right, score, original):
    assert judged("llava_med", reply, closed(right)).score == score
    assert judged("llava_med/original", reply, closed(right)).score == original


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("left lung", 1.0), ("The left-sided lung field.", 1.0), ("lung", 0.5), ("lung lung lung", 0.75), ("", 0.0),
        ("heart", 0.0), ("LEFT LUNG", 1.0),
    ],
)  # fmt: skip
def test_llava_med_marks_open_answers_by_recall(reply, score):
    assert judged("llava_med", reply, open_answer("the left lung")).score == pytest.approx(score)


def test_llava_med_makes_texts_alike():
    assert judged("llava_med", "one couldnt", open_answer("1 couldn't")).score == 1.0
    assert judged("llava_med", "none", open_answer("0")).score == 1.0
    assert judged("llava_med", "somebody'd", open_answer("somebodyd")).score == 1.0
