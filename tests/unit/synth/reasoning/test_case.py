from osler.synth.reasoning.case import figure_of, question_id


def test_a_figure_is_found_in_its_questions_id():
    assert figure_of(question_id("a/train/f1#panel-b", "drug")) == "a/train/f1#panel-b"
    assert figure_of("a/train/f1#panel-b") == ""
