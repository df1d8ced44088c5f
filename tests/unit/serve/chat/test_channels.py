import random

import pytest

from osler.scoring.channels import split_channels
from osler.serve.chat.channels import Splitter, StopCutter, Tape
from osler.serve.engine import Alternative

HARMONY = (
    "<|channel|>analysis<|message|>look <b>left</b> first<|end|><|start|>assistant<|channel|>final<|message|>"
    "a < b, no effusion<|return|>"
)
RAW = [
    "plain words, 3 < 4",
    "<think>both lungs</think>no",
    HARMONY,
    "<|channel|>final<|message|>yes<|end|><|start|>assistant<|channel|>final<|message|>no<|return|>",
    "<|channel|>commentary to=x<|message|>call<|call|><|start|>assistant<|channel|>final<|message|>ok",
    "<|channel|>analysis<|message|>never ends",
    "<|channel|>final<|message|>a <think>b</think> c<|return|>",
    "half a mark <|chan",
    "",
]


def split(raw, sizes):
    splitter, parts, place = Splitter(), [], 0
    for size in sizes:
        parts += splitter.feed(raw[place : place + size])
        place += size
    parts += splitter.feed(raw[place:]) + splitter.finish()
    words = {"final": "", "analysis": ""}
    for channel, tape in parts:
        words[channel] += tape.text
    return words


@pytest.mark.parametrize("raw", RAW)
def test_words_do_not_depend_on_where_the_text_is_cut(raw):
    rng = random.Random(1)
    whole = split(raw, [])
    cuts = [[1] * len(raw), *([rng.randint(1, 9) for _ in range(40)] for _ in range(20))]
    assert all(split(raw, sizes) == whole for sizes in cuts)
    read = split_channels(raw)
    if "half" not in raw and "<think>b" not in raw:
        assert (whole["final"].strip(), whole["analysis"].strip()) == (read.final, read.analysis)


def test_no_mark_comes_through():
    words = split(HARMONY, [5] * 50)
    assert words == {"final": "a < b, no effusion", "analysis": "look <b>left</b> first"}


def token(text):
    return Alternative(text, text.encode(), -1.0)


def test_tokens_stay_with_their_channel():
    splitter, final = Splitter(), []
    for text in ["<|channel|>", "analysis", "<|message|>", "B", "<|end|>", "<|start|>", "assistant", "<|channel|>"]:
        final += [tape for channel, tape in splitter.feed(text, (token(text),)) if channel == "final"]
    for text in ["final", "<|message|>", "A", " <", "5", "<|return|>"]:
        final += [tape for channel, tape in splitter.feed(text, (token(text),)) if channel == "final"]
    assert [each.text for tape in final for each in tape.alternatives()] == ["A", " <", "5"]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_stops_end_the_answer_wherever_they_are_cut(size):
    def cut(text, stops):
        cutter, out = StopCutter(stops), ""
        for place in range(0, len(text), size):
            out += cutter.feed(Tape(text[place : place + size])).text
        return out + cutter.finish().text, cutter.is_stopped

    assert cut("one two three", ("tw",)) == ("one ", True)
    assert cut("one two three", ("thx", "ree", "three")) == ("one two ", True)
    assert cut("one two thr", ("three",)) == ("one two thr", False)
    assert cut("one", ()) == ("one", False)
