import pytest

from osler.core.errors import InputError
from osler.synth.reasoning.case import Question
from osler.synth.reasoning.question_checks import letter_of, question_fault, read_written
from osler.synth.reasoning.rules import Rules

RULES = Rules()
STEM = "A 54-year-old woman has had pain in her chest for two days. What does the film show?"
OPTIONS = ("A pleural effusion", "A broken rib", "A large hernia", "Free air below")


def question(stem=STEM, options=OPTIONS, answer=OPTIONS[0]):
    return Question(stem=stem, options=options, answer=answer)


def test_a_sound_question_has_no_fault():
    assert question_fault(question(), RULES) == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"options": OPTIONS[:3]}, "number of options: 3, not 4"),
        ({"options": (*OPTIONS[:3], "a  broken RIB.")}, "options repeat or are empty"),
        ({"options": (*OPTIONS[:3], " ")}, "options repeat or are empty"),
        ({"options": (*OPTIONS[:3], "D) Free air")}, "option with a letter in front: D) Free air"),
        ({"options": (*OPTIONS[:3], "None of these")}, "option is a catch-all: None of these"),
        ({"options": (*OPTIONS[:3], "air " * 31)}, "option too long: 31 words, limit 30"),
        ({"answer": "An effusion"}, "answer is no option: An effusion"),
        ({"stem": "What is seen?"}, "stem length: 3 words, limits 8 and 150"),
        ({"stem": f"{STEM} See Figure 2B."}, "speaks of the source: Figure 2"),
        ({"stem": f"According to the authors. {STEM}"}, "speaks of the source: authors"),
        ({"stem": f"{STEM} Is it an effusion, PLEURAL?"}, "answer in the stem: the words"),
        ({"stem": f"{STEM} Not a broken rib, I hope: a pleural effusion"}, "answer in the stem: A pleural effusion"),
        ({"options": ("A" * 50, *OPTIONS[1:]), "answer": "A" * 50}, "answer stands out: 50 letters, the next longest"),
        ({"stem": f"{STEM}\nA. the first\nB. the other"}, ""),
        ({"stem": f"{STEM} </think>"}, "mark of the layout inside: </think>"),
    ],
)
def test_faults_are_named(changes, reason):
    fault = question_fault(question(**changes), RULES)
    assert fault.startswith(reason) and bool(fault) == bool(reason)


def test_a_stem_that_names_every_option_gives_none_away():
    named = question(stem=f"Is it {', '.join(OPTIONS)}? {STEM}")
    assert question_fault(named, RULES) == ""


def test_options_that_cannot_be_told_apart_in_the_layout_are_refused():
    assert question_fault(question(options=(*OPTIONS[:3], "air\nA. below")), RULES).startswith("layout: ")


def test_blanks_around_parts_go_and_the_answer_is_the_option_with_its_words():
    read = read_written(f" {STEM} ", ["A  pleural\neffusion ", *OPTIONS[1:]], "a pleural effusion.")
    assert (read.stem, read.options, read.answer) == (STEM, OPTIONS, OPTIONS[0])
    assert read_written(STEM, list(OPTIONS), "none").answer == "none"


def test_the_letter_is_that_of_an_order():
    assert letter_of(question(), OPTIONS[::-1]) == "D"
    with pytest.raises(InputError, match="another set of options"):
        letter_of(question(), OPTIONS[:3])
