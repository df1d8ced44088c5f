"""Answers are read by declared rules; what is not declared is unparsed, never guessed."""

import json
from pathlib import Path

import pytest

from osler.schema.sample import choice, closed, number, open_answer, passage
from osler.scoring.channels import split_channels
from osler.scoring.extract import extract, read_reply

VECTORS = json.loads((Path(__file__).parents[2] / "golden" / "metric_vectors.json").read_text())
FIVE = ("pneumonia", "effusion", "edema", "fracture", "no finding")


def four(response: str, options: tuple[str, ...] = FIVE[:4]) -> str | None:
    return extract(response, choice(options[0], options))


@pytest.mark.parametrize("case", VECTORS["mcq_parser_adversarial"], ids=lambda case: case["resp"][:30] or "empty")
def test_published_adversarial_choices(case):
    options = tuple(case.get("options_text", {}).values()) or tuple(f"option {n}" for n in range(case["options"]))
    expected = case["expect"]
    if expected is not None and "strict" in expected:
        expected = None
    assert extract(case["resp"], choice(options[0], options)) == expected


@pytest.mark.parametrize("case", VECTORS["yesno_adversarial"], ids=lambda case: case["resp"])
def test_published_adversarial_yes_no(case):
    parsed = extract(case["resp"], closed(case["gold"]))
    assert (parsed == case["gold"]) is case["expect"]


@pytest.mark.parametrize(
    "response",
    [
        "B", "b", "B.", "(B)", "**B**", "B)", " B \n", "Answer: B", "**Answer: B**", "answer: B", "The answer is B",
        "The answer is B.", "The correct answer is **B**.", "The answer is: B", "Option B", "Option B.", r"\boxed{B}",
        r"The answer is $\boxed{\text{B}}$.", "B. effusion", "(B) effusion", "B) Effusion.", "effusion", "Effusion.",
        "The answer is (B) effusion", "Final Answer: B\n(A) was ruled out", "The answer is option B because of fluid.",
        "No fracture is seen, so the answer is B.", "Answer: B. effusion", "The answer is B - effusion",
        "The meniscus is blunted.\nAnswer: B",
    ],
)  # fmt: skip
def test_declared_choices_are_read(response):
    assert four(response) == "B"


@pytest.mark.parametrize(
    "response",
    [
        "", "   ", "E", "Answer: E", "A or B", "A and B", "A, B", "Answer: A or B", "Answer: B, C", "The answer is B/C",
        "Answer: A\nAnswer: B", "Answer: A. Wait, the answer is B.", "answer is not A. It is B.", "The answer isn't B",
        "It is B", "I do not think the answer is B.", "The answer is B is wrong", "The answer might be B",
        "Perhaps the answer is B", "The answer is B?", "B. pneumonia", "Answer: B. pneumonia", "effusions",
        "pleural effusion",
        "A chest film shows fluid", "The answer is A chest film", "the answer is a fracture", "not B",
        "neither A nor B",
        "Option A is wrong, option B is right.", "Either option B or option C.", "I cannot determine the answer.",
        "pneumonia, effusion", "The answer is B, which is incorrect.", "Grade B fluid", "A patient has B lines",
        "B because", "The answer is B. effusion or edema", "Whether the answer is B is unclear",
    ],
)  # fmt: skip
def test_undeclared_choices_are_unparsed(response):
    assert four(response) is None


def test_choice_letters_reach_j_and_no_further_than_the_options():
    ten = tuple(f"finding {n}" for n in range(10))
    assert extract("Answer: J", choice(ten[0], ten)) == "J"
    assert extract("Answer: J", choice(ten[0], ten[:9])) is None


def test_an_option_given_twice_in_other_case_is_not_matched_by_its_words():
    assert extract("edema", choice("Edema", ("Edema", "edema", "none"))) is None


@pytest.mark.parametrize(
    ("response", "parsed"),
    [
        ("yes", "yes"), ("Yes.", "yes"), ("**No**", "no"), ("Yes, there is abnormal opacity", "yes"),
        ("Answer: no", "no"),
        ("The answer is yes.", "yes"), ("yes it is not normal", "yes"), ("No evidence of effusion", "no"),
        ("Yes, there is no change in the effusion", "yes"), (r"\boxed{yes}", "yes"), ("The heart is normal", None),
        ("no yes", None), ("yes, no", None), ("yes or no", None), ("Yes. No.", None), ("No, wait, yes.", None),
        ("yes/no", None),
        ("yes and no", None), ("yes?", None), ("It is unknown", None), ("nodule", None), ("Yesterday", None),
        ("", None),
        ("maybe yes", None), ("not yes", None), ("I think yes", None), ("yes but no", None),
    ],
)  # fmt: skip
def test_closed_answers_lead_with_their_label(response, parsed):
    assert extract(response, closed("yes")) == parsed


def test_closed_labels_of_other_words():
    side = closed("left", ("left", "right"))
    assert extract("Left lung.", side) == "left"
    assert extract("left and right", side) is None
    assert extract("Left. The right lung is clear.", side) == "left"
    degrees = closed("mild", ("mild", "mild to moderate", "severe"))
    assert extract("Mild to moderate.", degrees) == "mild to moderate"


@pytest.mark.parametrize(
    ("response", "parsed"),
    [
        ("3", "3"), ("3.", "3"), ("There are 3 nodules.", "3"), ("0.52", "0.52"), ("about 0.52 cm", "0.52"),
        ("-1.5", "-1.5"),
        (".5", ".5"), ("1,234 ml", "1234"), ("two", "2"), ("Answer: 4", "4"), ("**2**", "2"),
        ("at T2 there are 3", "3"),
        ("", None), ("none", None), ("2 or 3", None), ("2-3", None), ("1/2", None), ("not 3", None),
        ("at least 3", None),
        ("> 3", None), ("3?", None), ("1,5", None), ("two or three", None),
        ("3 in the left, 1 in the right", None), ("T2", None),
        ("1.2.3", None), ("12a", None),
    ],
)  # fmt: skip
def test_numbers_are_read_alone(response, parsed):
    assert extract(response, number(3)) == parsed


def test_open_answers_are_their_words():
    assert extract(" left lung \n", open_answer("left lung")) == "left lung"
    assert extract("  ", passage("Findings.")) is None


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ("I cannot determine the answer from this image.", "refused"),
        ("I\u2019m sorry, I can\u2019t help with that.", "refused"),
        ("As an AI model I do not diagnose.", "refused"),
        ("It could be anything.", "unparsed"),
        ("", "unparsed"),
    ],
)
def test_refusals_are_told_from_the_rest(response, status):
    assert read_reply(response, closed("yes")).status == status


def test_a_refusal_is_no_open_answer():
    assert read_reply("I am unable to see an image.", open_answer("lung")).status == "refused"
    assert read_reply("left lung", open_answer("lung")).parsed == "left lung"


FULL = (
    "<|channel|>analysis<|message|>The heart is wide.<|end|><|start|>assistant<|channel|>final<|message|>yes<|return|>"
)


def test_channels_are_told_apart():
    assert split_channels(FULL) == ("The heart is wide.", "yes", True)
    assert split_channels(FULL.removesuffix("<|return|>")) == ("The heart is wide.", "yes", False)
    assert split_channels("<|channel|>analysis<|message|>Still looking at") == ("Still looking at", "", False)
    assert split_channels("<|channel|>analysis<|message|>Done.<|return|>") == ("Done.", "", True)
    assert split_channels("yes<|return|>") == ("", "yes", True)
    assert split_channels("yes") == ("", "yes", True)
    assert split_channels("<think>wide</think>\nyes</s>") == ("wide", "yes", True)
    assert split_channels("wide</think>yes") == ("wide", "yes", True)
    assert split_channels("<think>wide") == ("wide", "", False)


def test_final_channels_that_disagree_are_unparsed():
    twice = FULL + "<|start|>assistant<|channel|>final<|message|>no<|return|>"
    assert read_reply(twice, closed("yes")).status == "unparsed"


def test_a_cut_reply_is_truncated_whatever_it_says():
    assert read_reply("yes", closed("yes"), finished=False) == ("truncated", None, "yes")
    assert read_reply(FULL.removesuffix("<|return|>"), closed("yes")).status == "truncated"
    assert read_reply(FULL, closed("yes")) == ("ok", "yes", "yes")
    assert read_reply(FULL.removesuffix("<|return|>"), closed("yes"), finished=True).parsed == "yes"


def test_an_answer_in_the_analysis_only_is_unparsed():
    assert read_reply("<|channel|>analysis<|message|>yes<|return|>", closed("yes")) == ("unparsed", None, "")


def test_the_gold_answer_does_not_help_to_read():
    for response in ("", "The answer is B", "not A. It is B.", "effusion", "I cannot tell"):
        assert len({extract(response, choice(right, FIVE)) for right in FIVE}) == 1
    for response in ("no yes", "Yes, large", "unknown"):
        assert extract(response, closed("yes")) == extract(response, closed("no"))
