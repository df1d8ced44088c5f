from pathlib import Path

from osler.datasets.adapters.open_med_reason import DATASET, split_options, units_of
from osler.datasets.dataset import read_drafts

FIXTURE = Path(__file__).parents[3] / "fixtures" / "datasets" / "open_med_reason"


def test_the_options_are_the_last_run_of_lettered_lines():
    assert split_options("Which?\nA. one\nB) two\n  C: three\n") == ("Which?", ("one", "two", "three"))
    assert split_options("Panel\nA. shows this.\nWhich?\nA. one\nB. two\nlines") == (
        "Panel\nA. shows this.\nWhich?",
        ("one", "two\nlines"),
    )
    assert split_options("Which?\nA. one\nC. three") == ("Which?\nA. one\nC. three", ())
    assert split_options("Vitamin A. or B.") == ("Vitamin A. or B.", ())


def test_the_trace_is_kept_without_its_marks_and_a_rubric_is_told():
    (train, *_), (test,) = (list(read_drafts(DATASET, "open_med_reason", FIXTURE, split=s)) for s in ("train", "test"))
    assert (train.sample.reasoning, train.sample.answer.letter, train.sample.tags) == (
        "A line crosses the bone.",
        "A",
        (),
    )
    assert (test.sample.reasoning, test.sample.answer.letter, test.sample.tags) == (
        "Fluid on the left.",
        "B",
        ("rubric",),
    )


def test_the_units_of_the_rubric_are_kept():
    (test,) = read_drafts(DATASET, "open_med_reason", FIXTURE, split="test")
    assert [(unit.axis, unit.id, unit.importance) for unit in test.sample.rubric] == [
        ("perception", "p1", "high"),
        ("knowledge", "k1", "high"),
        ("rationale", "r1", "high"),
    ]
    assert units_of("knowledge", '[{"unit_id": 1, "claim": "c"}]')[0].id == "1" and units_of("knowledge", None) == []
