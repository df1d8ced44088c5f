from osler.curate.panels.boxes import area, iou, order_is_clear, overlap, reading_order


def test_areas_and_overlaps():
    assert area((0, 0, 4, 5)) == 20 and area((4, 0, 0, 5)) == 0
    assert overlap((0, 0, 4, 4), (2, 2, 6, 6)) == 4 and overlap((0, 0, 2, 2), (2, 0, 4, 2)) == 0
    assert iou((0, 0, 4, 4), (0, 0, 4, 2)) == 0.5


def test_a_grid_is_read_row_by_row_even_where_rows_are_not_quite_level():
    grid = [(0, 3, 50, 50), (52, 0, 100, 50), (0, 52, 50, 100), (52, 55, 100, 100)]
    assert reading_order([grid[3], grid[1], grid[2], grid[0]]) == grid


def test_a_tall_panel_is_read_with_the_first_of_those_stacked_beside_it():
    tall, upper, lower = (0, 0, 50, 100), (52, 0, 100, 48), (52, 52, 100, 100)
    assert reading_order([lower, upper, tall]) == [tall, upper, lower]
    tall, upper, lower = (52, 0, 100, 100), (0, 0, 50, 48), (0, 52, 50, 100)
    assert reading_order([lower, upper, tall]) == [upper, tall, lower]


def test_no_boxes_no_order():
    assert reading_order([]) == []


def test_an_order_is_clear_where_no_panel_reaches_into_the_next_row():
    assert order_is_clear([(0, 3, 50, 50), (52, 0, 100, 51), (0, 52, 50, 100), (52, 50, 100, 100)])
    assert not order_is_clear([(0, 0, 50, 100), (52, 0, 100, 48), (52, 52, 100, 100)])
    assert order_is_clear([(0, 0, 9, 9)])
