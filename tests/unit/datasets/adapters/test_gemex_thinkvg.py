from osler.datasets.adapters.gemex_thinkvg import to_sample

PLACE = "<location><ref>heart</ref><box>[84, 168, 168, 336]</box></location>"
ROW = {
    "image_path": "/p10/p10000032/s5/a.jpg",
    "question": "Is the heart enlarged?",
    "question_type": "closed_ended_questions",
    "thinkVG": "<think>The heart [84, 168, 168, 336] is wide.</think>",
    "response": f"<response><answer>Yes</answer>{PLACE}</response>",
}


def test_the_trace_keeps_its_boxes_as_text_where_no_size_is_told():
    sample = to_sample(ROW)
    assert sample.reasoning == "The heart [84, 168, 168, 336] is wide." and sample.answer.text == "yes"
    assert not sample.boxes and "boxes:text" in sample.tags and sample.group == "mimic:10000032"


def test_a_told_size_makes_fractions():
    sample = to_sample({**ROW, "width": 336, "height": 336})
    (box,) = sample.boxes
    assert (box.label, box.x0, box.y0, box.x1, box.y1) == ("heart", 0.25, 0.5, 0.5, 1.0)
    assert "boxes:text" not in sample.tags
    assert not to_sample({**ROW, "width": 100, "height": 100}).boxes


def test_the_trace_may_stand_in_the_response_and_choices_keep_their_letter():
    row = {**ROW, "thinkVG": None, "question_type": "single_choice_questions"}
    sample = to_sample({**row, "response": "<think>A mass.</think><answer>B</answer>"})
    assert (sample.reasoning, sample.answer.text, sample.answer.kind) == ("A mass.", "B", "closed")
    assert to_sample({**ROW, "response": "no tags"}).reason == "the response has no answer"
