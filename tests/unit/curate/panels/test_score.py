import pytest

from osler.curate.panels.score import PanelCounts, clef_accuracy, score_panels

TRUE = [(0, 0, 50, 50), (50, 0, 100, 50)]


def test_what_is_right_scores_one():
    counts = score_panels(TRUE, TRUE)
    assert (counts.precision, counts.recall, counts.f1, counts.clef, counts.exact) == (1, 1, 1, 1, 1)


def test_a_figure_left_whole_has_one_panel_that_matches_none_by_the_clef_rule():
    whole = [(0, 0, 100, 50)]
    assert clef_accuracy(TRUE, whole) == 0
    assert score_panels(TRUE, whole).matched == 1, "its IoU with each is a half"
    assert score_panels(TRUE, whole, min_iou=0.51).matched == 0


def test_pieces_of_a_panel_count_once():
    pieces = [(0, 0, 25, 50), (25, 0, 50, 50), (50, 0, 100, 50)]
    assert clef_accuracy(TRUE, pieces) == pytest.approx(2 / 3)
    counts = score_panels(TRUE, pieces)
    assert counts.matched == 2 and counts.found == 3 and not counts.exact


def test_counts_add_up_over_figures():
    counts = score_panels(TRUE, TRUE) + score_panels(TRUE, [])
    assert counts.figures == 2 and counts.recall == 0.5 and counts.precision == 1 and counts.clef == 0.5
    assert counts.f1 == pytest.approx(2 / 3)
    assert PanelCounts().f1 == PanelCounts().clef == 0
