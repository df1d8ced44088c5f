import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.core.rng import generator
from osler.curate.duplicates.near_words import may_be_near
from osler.curate.duplicates.words import same_words

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=20).map(" ".join), max_size=8)


@given(TEXTS, st.data())
def test_no_text_with_the_same_words_as_another_is_missed(texts, data):
    scopes = data.draw(st.lists(st.sampled_from(["train", "test"]), min_size=len(texts), max_size=len(texts)))
    found = may_be_near(texts, scopes)
    for n, text in enumerate(texts):
        others = [k for k in range(len(texts)) if k != n and scopes[k] == scopes[n]]
        if any(same_words(text, texts[k]) for k in others):
            assert found[n]


def test_texts_unlike_all_others_are_not_named():
    random = generator(0, "near_words")
    texts = [" ".join(f"w{k}" for k in random.integers(500, size=40)) for _ in range(200)]
    edited = texts[7].split()
    edited[20] = "other"
    assert np.flatnonzero(may_be_near([*texts, " ".join(edited)], ["train"] * 201)).tolist() == [7, 200]


@pytest.mark.parametrize(("texts", "scopes", "found"), [
    ([], [], []),
    (["", ""], ["train", "train"], [True, True]),
    (["yes", "Yes!", "no"], ["train"] * 3, [True, True, False]),
    (["yes", "yes"], ["train", "test"], [False, False]),
    (["a b", "b a"], ["train", "train"], [False, False]),
])  # fmt: skip
def test_short_texts(texts, scopes, found):
    assert may_be_near(texts, scopes).tolist() == found
