import pytest

from osler.datasets.dataset import Skip
from osler.datasets.traces import split_trace, unboxed

SPLITS = {
    "The heart.": ("", "The heart."),
    "<think>\nHm, p < 0.05.\n</think>\n\nThe heart.": ("Hm, p < 0.05.", "The heart."),
    "Hm.\n</think>\nThe heart.": ("Hm.", "The heart."),
    "Sure.\n<think>Hm.</think>\n\nThe heart.": ("Hm.", "Sure.\nThe heart."),
    "<think>Hm.</think> <answer>The heart.</answer> Bye.": ("Hm.", "The heart."),
    "<think>Hm.</think><answer>The heart.": ("Hm.", "The heart."),
    "<think></think>The heart.": ("", "The heart."),
    "## Thinking\n\nHm.\n\n## Final Response\n\nThe heart.": ("Hm.", "The heart."),
    "Hm. # of beats.\n\n### The final answer:\nThe heart.": ("Hm. # of beats.", "The heart."),
    "<think>Hm.</think>It is $\\boxed{\\text{B}}$.": ("Hm.", "It is B."),
}


@pytest.mark.parametrize(("text", "parts"), SPLITS.items())
def test_reasoning_and_final_words_are_taken_apart(text, parts):
    assert split_trace(text) == parts


SKIPS = {
    "<think>Cut off": "reasoning is not closed: <think> without </think>",
    "## Thinking\n\nCut off": "reasoning is not closed: no heading of the final response",
    "<think>Hm.</think>\n \n": "no final words: nothing after the reasoning",
    "<think>Hm.</think>A<think>Or.</think>B": "reasoning is marked twice: more than one <think>",
    "<think>Hm <think> so.</think>B": "reasoning is marked twice: more than one <think>",
    "": "no final words: nothing after the reasoning",
}


@pytest.mark.parametrize(("text", "reason"), SKIPS.items())
def test_a_text_without_final_words_is_skipped_with_its_reason(text, reason):
    assert split_trace(text) == Skip(reason)


def test_boxes_are_opened():
    assert unboxed(r"so $$\boxed{x^{2}}$$ and \boxed{\textbf{C}. tea}") == "so x^{2} and C. tea"
    assert unboxed(r"costs $5 and \boxed{\boxed{B}} $6") == "costs $5 and B $6"
    assert unboxed(r"cut \boxed{B") == r"cut \boxed{B"


def test_many_marks_of_less_are_read_in_one_pass():
    text = "a < b <" * 50_000
    assert split_trace(f"<think>{text}</think>B") == (text, "B")
