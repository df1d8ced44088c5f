import pytest

from osler.datasets.adapters.mimic_cxr_vqa import to_sample

ROW = {
    "idx": 1,
    "subject_id": "10000032",
    "image_path": "files/p10/p10000032/s5/a.jpg",
    "question": "Is it AP or PA?",
    "semantic_type": "choose",
    "content_type": "plane",
    "template": "Is it AP or PA?",
    "template_arguments": {},
    "answer": ["AP"],
}


@pytest.mark.parametrize(
    ("changed", "answer", "labels"),
    [
        ({}, "ap", ()),
        ({"answer": []}, "none", ()),
        (
            {
                "template": "Is the patient ${gender_1} or ${gender_2}?",
                "content_type": "gender",
                "answer": ["M"],
                "template_arguments": {"gender": {"0": "M", "1": "F"}},
            },
            "male",
            ("male", "female", "both", "none"),
        ),
        ({"semantic_type": "query", "answer": ["b", "a", "c", "d"]}, "b, a, c, d", ()),
    ],
)
def test_lists_of_answers_become_one(changed, answer, labels):
    sample = to_sample({**ROW, **changed})
    assert (sample.answer.text, sample.answer.labels) == (answer, labels)
    assert ("answer:none" in sample.tags) == (answer == "none")


def test_a_few_answers_are_right_in_any_order():
    sample = to_sample({**ROW, "semantic_type": "query", "answer": ["a", "b", "c"]})
    assert sample.answer.text == "a, b, c" and len({sample.answer.text, *sample.answer.alternatives}) == 6
    assert sample.group == "mimic:10000032" and sample.media[0].path == "p10/p10000032/s5/a.jpg"


def test_a_question_to_verify_has_one_answer():
    skip = to_sample({**ROW, "semantic_type": "verify", "answer": ["yes", "no"]})
    assert skip.reason == "a question to verify has 2 answers"
