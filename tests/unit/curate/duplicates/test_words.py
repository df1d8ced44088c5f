import sys

import pytest

from osler.core.errors import InputError
from osler.curate.duplicates.words import TextIndex, jaccard, same_words, shingles, words

CAPTION = (
    "Axial CT of the chest shows a large left pleural effusion with a shift of the mediastinum to the right "
    "and collapse of the lower lobe in a man of 45 years who had been short of breath for a week"
)


def test_words_ignore_case_punctuation_and_form():
    assert words("The  Heart, is\nENLARGED (ﬁne).") == ["the", "heart", "is", "enlarged", "fine"]


def test_jaccard_counts_runs_of_three():
    assert shingles(words("a b c d")) == {"a b c", "b c d"} and shingles(["a"]) == {"a"} and not shingles([])
    assert jaccard(shingles(words("a b c d")), shingles(words("b c d e"))) == pytest.approx(1 / 3)
    assert jaccard(frozenset(), frozenset()) == 0


def test_same_words_allow_a_change_and_no_more():
    assert same_words(CAPTION, CAPTION.upper() + ".") and same_words("yes", "Yes.") and same_words("", " ")
    assert same_words(CAPTION, CAPTION.replace("large", "small"))
    other = CAPTION
    for word in ("chest", "large", "mediastinum", "lower", "45", "breath"):
        other = other.replace(word, "other")
    assert not same_words(CAPTION, other)
    assert not same_words("yes", "no")
    assert not same_words("Is the aortic silhouette of normal contour?", "Is the aortic silhouette of normal size?")


def test_a_run_of_eight_words_is_found_and_seven_are_not():
    index = TextIndex(["Something else entirely that has as many words as a caption has", CAPTION])
    part = CAPTION.split()[3:11]
    found = index.matches("We saw " + " ".join(part) + " there.")
    assert [(m.owner, m.rule, m.score, m.start, m.end) for m in found] == [(1, "run_of_8_words", 1.0, 2, 10)]
    assert index.matches("We saw here and now " + " ".join(part[:7]) + " there.") == []


def test_the_first_whole_run_is_shown():
    tokens = CAPTION.split()
    found = TextIndex([CAPTION]).matches(" ".join(["x"] * 4 + tokens[:10] + ["y"] * 9 + tokens[20:29]))
    assert [(m.start, m.end, m.score) for m in found] == [(4, 14, 5.0)]


def test_reworded_text_is_found_as_a_whole():
    """Every ninth word is another: no run of eight is left but one in eight, and the text is the same."""
    tokens = CAPTION.split()
    changed = [f"w{n}" if n % 8 == 7 else token for n, token in enumerate(tokens)]
    assert TextIndex([CAPTION]).matches(" ".join(changed)) == []
    once = [f"w{n}" if n == 20 else token for n, token in enumerate(tokens)]
    rules = {m.rule: m.score for m in TextIndex([CAPTION]).matches(" ".join(once))}
    assert rules["same_words"] == pytest.approx(0.84, abs=0.05)


def test_a_phrase_of_many_items_counts_for_nothing():
    phrase = "which of the following is the most likely diagnosis"
    index = TextIndex([f"{phrase} {n} {n + 1}" for n in range(4)])
    assert [m.rule for m in index.matches(f"so {phrase} then and there")] == []
    assert index.matches(f"{phrase} 2 3")[-1].rule == "same_words"


def test_short_texts_are_nobodys():
    assert TextIndex(["Is there a fracture?"]).matches("Is there a fracture?") == []
    assert TextIndex([]).matches(CAPTION) == []


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(InputError, match=r"rensa.*osler\[curate\]"):
        TextIndex([CAPTION])
