import pytest

from osler.datasets.dataset import Skip
from osler.datasets.options import bare, below, choose, listed, without_options


@pytest.mark.parametrize(
    ("options", "answer", "by", "right"),
    [
        (["CT", "MR"], "B", "either", "MR"),
        (["CT", "MR"], "(b)".upper(), "either", "MR"),
        (["CT", "MR"], "B.", "letter", "MR"),
        (["CT", "MR"], "mr.", "either", "MR"),
        (["CT", "MR  scan "], "MR scan", "words", "MR  scan"),
        (["A. CT", "B. MR"], "B", "letter", "MR"),
        (["CT", "MR"], "B: MR", "either", "MR"),
        (["B", "A"], "A", "either", "A"),
        (["B", "A"], "A", "letter", "B"),
        (["No, It's normal.", "Glaucoma"], "No, It's normal.", "words", "No, It's normal."),
        ([str(n) for n in range(10)], "J", "letter", "9"),
    ],
)
def test_the_right_option_is_found_by_letter_or_by_words(options, answer, by, right):
    found = choose(options, answer, by=by)
    assert found.text == right and found.kind == "choice" and len(found.options) == len(options)


@pytest.mark.parametrize(
    ("options", "answer", "by", "reason"),
    [
        (["CT"], "A", "either", "fewer than two options"),
        ([str(n) for n in range(11)], "A", "either", "more than 10 options"),
        (["CT", " ", "MR"], "A", "either", "an option is empty"),
        (["CT", "ct.", "MR"], "C", "either", "two options have the same words"),
        (["CT", "MR"], " ", "either", "the answer is empty"),
        (["CT", "MR"], "C", "either", "the answer is not one of the options"),
        (["CT", "MR"], "PET", "either", "the answer is not one of the options"),
        (["CT", "MR"], "A: MR", "either", "the answer is not one of the options"),
        (["CT", "MR"], "B", "words", "the answer is not one of the options"),
        (["CT", "MR"], "MR", "letter", "the answer is not one of the options"),
    ],
)
def test_what_names_no_option_is_skipped_with_its_reason(options, answer, by, reason):
    assert choose(options, answer, by=by) == Skip(reason)


def test_letters_are_taken_off_only_where_each_option_has_its_own():
    assert bare(["(A) one", "(B) two"]) == ("one", "two") and bare(["A) one", "B: two"]) == ("one", "two")
    assert bare(["A. fumigatus", "C. albicans"]) == ("A. fumigatus", "C. albicans")


def test_a_list_in_words_is_read_as_python_writes_it():
    assert listed("""['A "left" one', "the patient's", '<image 2>', 3]""") == (
        *('A "left" one', "the patient's", "<image 2>", "3"),
    )
    assert listed("[]") == ()
    for text in ("[broken", "__import__('os').getcwd()", "{'a': 1}", "12", ""):
        assert listed(text) is None


def test_options_below_a_question_are_taken_off_it():
    question = "Which organ?\nLook closely.\nOptions:\n(A) Lung\n(B) Liver,\n  left lobe\n"
    assert below(question) == ("Which organ?\nLook closely.", ("Lung", "Liver, left lobe"))
    assert below("Is it A. fumigatus?") == ("Is it A. fumigatus?", ())
    assert below("Which?\nB. Liver\nA. Lung") == ("Which?\nB. Liver\nA. Lung", ())


def test_options_behind_a_question_are_taken_off_where_they_are_its_options():
    assert without_options("Which? \nAnswer Choices: (A) Gout (B) Cyst", ["Gout", "Cyst"]) == "Which?"
    kept = "Which? Answer Choices: (A) Gout (B) Cyst"
    assert without_options(kept, ["Gout", "Sprain"]) == kept and without_options("Which? ", ["Gout"]) == "Which?"
