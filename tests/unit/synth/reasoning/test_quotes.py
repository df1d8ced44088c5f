import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.synth.reasoning.quotes import find_quote, num_words

SOURCE = (
    "Caption: A 5\u2009\u00b5m \ufb01ssure\u2014seen\nin the \u201cleft\u201d lower lobe (arrow), e.g. "
    "na\u00efve pa\u00adtients."
)


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("a 5 \u03bcm fissure", "A 5\u2009\u00b5m \ufb01ssure"),
        ("fissure-seen in the", "\ufb01ssure\u2014seen\nin the"),
        ('the "left" lower lobe', "the \u201cleft\u201d lower lobe"),
        ('  "lower lobe (arrow)" ', "lower lobe (arrow)"),
        ("nai\u0308ve patients", "na\u00efve pa\u00adtients"),
    ],
)
def test_words_are_found_however_they_are_spelled(quote, words):
    span = find_quote(quote, SOURCE)
    assert span is not None and SOURCE[span.start : span.end] == words


@pytest.mark.parametrize(
    "quote",
    ["left upper lobe", "lower ... arrow", "ower lobe", "the left lower lob", "lobe lower", "", ' "" ', "lobe arrow"],
)
def test_words_that_are_not_there_are_not_found(quote):
    assert find_quote(quote, SOURCE) is None


def test_a_word_that_is_cut_once_may_stand_whole_later():
    assert find_quote("art", "start part art.") == (11, 14)


@given(st.text(min_size=1, max_size=80), st.data())
def test_every_stretch_of_whole_words_is_found(text, data):
    parts = text.split()
    if not parts:
        return
    start = data.draw(st.integers(0, len(parts) - 1))
    end = data.draw(st.integers(start + 1, len(parts)))
    quote = "  ".join(parts[start:end])
    if any(char.isalnum() for char in quote):
        assert find_quote(quote, text) is not None


def test_words_are_counted_without_punctuation():
    assert num_words("- in the lung, (arrow)!") == 4
