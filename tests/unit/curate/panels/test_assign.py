from osler.curate.panels.assign import assign_parts, panel_name
from osler.curate.panels.captions import caption_parts

ROW = [(0, 0, 50, 50), (50, 0, 100, 50)]
GRID = [*ROW, (0, 50, 50, 100), (50, 50, 100, 100)]


def assigned(caption, boxes, **more):
    return assign_parts(caption_parts(caption), boxes, **more)


def test_letters_go_by_reading_order():
    found = assigned("(a) T1. (b) T2.", ROW)
    assert found.names == ("a", "b") and found.texts == ("T1.", "T2.") and not found.doubt


def test_a_part_of_several_letters_is_given_to_each():
    assert assigned("(a-c) CT. (d) PET.", GRID).texts == ("CT.", "CT.", "CT.", "PET.")


def test_letters_read_in_the_picture_come_first():
    found = assigned("(a) T1. (b) T2.", ROW, read=["(B)", "a"])
    assert found.names == ("b", "a") and found.texts == ("T2.", "T1.")


def test_letters_read_in_part_confirm_or_refute_the_order():
    assert assigned("(a) T1. (b) T2.", ROW, read=["", "B"]).texts == ("T1.", "T2.")
    refuted = assigned("(a) T1. (b) T2.", ROW, read=["", "a"])
    assert refuted.texts == (None, None) and "another order" in refuted.doubt and not refuted.contradicts


def test_more_or_fewer_letters_than_panels_contradict_them():
    found = assigned("(a) x. (b) y. (c) z.", ROW)
    assert found.contradicts and found.doubt == "the caption names 3 panels, 2 were found"
    found = assigned("(a) x. (b) y.", GRID)
    assert found.contradicts and found.names == ("a", "b", "c", "d") and set(found.texts) == {None}


def test_a_layout_without_one_reading_order_needs_letters_read_in_the_picture():
    stacked = [(0, 0, 50, 100), (50, 0, 100, 48), (50, 52, 100, 100)]
    caption = "(a) x. (b) y. (c) z."
    assert assigned(caption, stacked).doubt == "the panels have no one reading order"
    assert assigned(caption, stacked, read=["a", "b", ""]).texts == ("x.", "y.", "z.")
    assert assigned(caption, stacked, read=["a", "c", "b"]).texts == ("x.", "z.", "y.")


def test_no_letters_and_words_that_cannot_be_told_apart():
    assert assigned("A film.", ROW).doubt == "the caption names no panel"
    assert assigned("Axial (a) and coronal (b) images.", ROW).texts == (None, None)


def test_places():
    assert assigned("Left: before. Right: after.", ROW).texts == ("before.", "after.")
    assert assigned("Top: before. Bottom: after.", GRID).texts == ("before.", "before.", "after.", "after.")
    assert assigned("Top: before. Bottom: after.", ROW).texts == (None, None)
    assert assigned("Left: x. Top right: y.", GRID).texts == (None,) * 4, "the last panel is meant by none"


def test_names_go_on_after_z():
    assert [panel_name(number) for number in (0, 25, 26, 27, 52)] == ["a", "z", "aa", "ab", "ba"]
