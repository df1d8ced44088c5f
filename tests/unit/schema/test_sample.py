import pytest
from pydantic import ValidationError

from osler.schema.sample import (
    Answer,
    Provenance,
    Sample,
    assistant,
    choice,
    closed,
    image,
    number,
    open_answer,
    passage,
    user,
)


def sample(**changes):
    turns = (user(image("a.png"), "What is this?"), assistant("A film."), user("Is there an effusion?", image("b.png")))
    return Sample(**{"id": "s1", "turns": turns, "answer": closed("Yes "), **changes})


def test_images_and_question_come_from_the_turns_in_order():
    made = sample()
    assert [ref.path for ref in made.media] == ["a.png", "b.png"]
    assert made.question == "Is there an effusion?"
    assert made.answer.text == "yes"


def test_a_sample_survives_json_and_leaves_defaults_out():
    made = sample(provenance=Provenance(dataset="toy", record_id="1", licence="CC0-1.0"))
    assert Sample.model_validate_json(made.model_dump_json()) == made
    assert Sample.model_validate_json(made.model_dump_json(exclude_defaults=True)) == made


@pytest.mark.parametrize("change", [{"answr": closed("yes")}, {"split": "val"}, {"schema_version": 2}])
def test_unknown_fields_splits_and_versions_are_refused(change):
    with pytest.raises(ValidationError):
        sample(**change)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "choice", "text": "c", "options": ("a", "b")},
        {"kind": "choice", "text": "a", "options": ("a", "a")},
        {"kind": "choice", "text": "0", "options": tuple(str(n) for n in range(11))},
        {"kind": "closed", "text": "maybe", "labels": ("yes", "no")},
        {"kind": "yesno", "text": "yes"},
    ],
)
def test_an_answer_that_contradicts_itself_is_refused(fields):
    with pytest.raises(ValidationError):
        Answer(**fields)


def test_the_letter_is_that_of_the_right_option():
    assert choice("pear", ("apple", "pear")).letter == "B"


def test_the_other_answers():
    assert open_answer(" left lung ", "left") == Answer(kind="open", text="left lung", alternatives=("left",))
    assert number(0.50, tolerance=0.1) == Answer(kind="number", text="0.5", tolerance=0.1)
    assert passage("Clear lungs.").kind == "text"
