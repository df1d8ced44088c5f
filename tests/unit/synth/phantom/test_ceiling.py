from osler.schema.sample import Sample, choice, closed, image, number, passage, user
from osler.synth.phantom.ceiling import Question, question_of, text_ceilings

PRIORS = [Question("t", "a?", "closed", "yes")] * 3 + [Question("t", "b?", "closed", "no")] * 2


def test_majority_and_prior_are_learned_on_train_and_scored_on_test():
    test = [
        Question("t", "a?", "closed", "yes"),
        Question("t", "b?", "closed", "no"),
        Question("t", "c?", "closed", "no"),
    ]
    assert text_ceilings(PRIORS, test) == {"t": {"n": 3, "majority": 0.3333, "question_prior": 0.6667}}


def test_without_train_questions_the_test_is_its_own_teacher():
    assert text_ceilings([], PRIORS) == {"t": {"n": 5, "majority": 0.6, "question_prior": 1.0}}


def test_a_choice_is_guessed_by_its_options_or_by_its_letter():
    always_x = [Question("c", "?", "choice", "x", options) for options in (("x", "y"), ("z", "x"), ("x", "z"))]
    assert text_ceilings(always_x, always_x)["c"] == {"n": 3, "majority": 0.6667, "question_prior": 1.0}


def test_a_number_is_guessed_within_its_tolerance():
    values = [Question("m", "?", "number", text, tolerance=0.05) for text in ("0.4", "0.45", "0.5", "0.6")]
    assert text_ceilings(values, values)["m"]["question_prior"] == 0.75
    assert text_ceilings(values, values)["m"]["majority"] == 0.25


def test_long_texts_are_left_out():
    assert text_ceilings([], [Question("r", "?", "text", "a report")]) == {}


def test_a_sample_is_reduced_to_its_words():
    options = ("x", "y")
    sample = Sample(turns=(user(image("a.png"), "Which?\nA. x\nB. y"),), answer=choice("y", options), task="c")
    assert question_of(sample) == Question("c", "Which?", "choice", "y", options)
    assert question_of(sample).letter == 1
    for answer in (closed("yes"), number(0.5, 0.05), passage("words")):
        question = question_of(Sample(turns=(user("a?"),), answer=answer))
        assert (question.kind, question.answer, question.tolerance) == (answer.kind, answer.text, answer.tolerance)
