import pytest

from osler.curate.panels.captions import caption_parts


def parts(caption):
    return [("".join(part.labels), part.text) for part in caption_parts(caption).parts]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Brain. (a) T1. (b) T2, compare (a).", [("a", "T1."), ("b", "T2, compare (a).")]),
        ("(A, B) CT. (C) PET.", [("ab", "CT."), ("c", "PET.")]),
        ("(A\u2013C) CT. (D and E) PET.", [("abc", "CT."), ("de", "PET.")]),
        ("A. Liver. B. Spleen.", [("a", "Liver."), ("b", "Spleen.")]),
        ("Two views. A, Chest film. B, CT scan.", [("a", "Chest film."), ("b", "CT scan.")]),
        ("a) first b) second", [("a", "first"), ("b", "second")]),
        ("A smear (a) and a section (b).", [("a", "A smear"), ("b", "a section")]),
        ("Mean of (A) rate and (B) pressure.", [("a", "rate"), ("b", "pressure.")]),
    ],
)
def test_letters(caption, expected):
    assert parts(caption) == expected and caption_parts(caption).kind == "letters"


def test_the_words_of_no_panel_are_kept_apart():
    assert caption_parts("Brain of one patient. (a) T1. (b) T2.").lead == "Brain of one patient."


@pytest.mark.parametrize(
    "caption", ["", "A film.", "Tumour (T) and (a) cyst.", "Vitamin A. Given to B. cells.", "(b) x (c) y", "(a) alone"]
)
def test_what_names_no_panels_has_no_parts(caption):
    assert caption_parts(caption).parts == () and caption_parts(caption).lead == caption


@pytest.mark.parametrize("caption", ["Axial (a) and coronal (b) images.", "Axial (left) and coronal (right) images."])
def test_where_words_cannot_be_told_apart_labels_stay_and_words_go(caption):
    assert [text for _, text in parts(caption)] == ["", ""] and caption_parts(caption).lead == caption


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Left: before. Right: after.", [("left", "before."), ("right", "after.")]),
        ("Upper left: x; top right: y; Bottom row: z.", [("top left", "x"), ("top right", "y"), ("bottom", "z.")]),
        ("Axial (left) and coronal (right).", [("left", "Axial"), ("right", "coronal")]),
    ],
)
def test_places(caption, expected):
    assert parts(caption) == expected and caption_parts(caption).kind == "places"


def test_a_place_named_once_or_twice_is_no_mark():
    assert parts("Left: a lung.") == [] and parts("Left: x. Left: y.") == []
