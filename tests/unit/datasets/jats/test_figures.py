import pytest

from osler.datasets.jats.article import parse_article

HEAD = '<article xmlns:xlink="http://www.w3.org/1999/xlink">'


def figures(body: str, *, after: str = ""):
    return parse_article(f"{HEAD}<body>{body}</body>{after}</article>".encode()).figures


def test_a_figure_without_caption_stays_without():
    one, two = figures(
        '<fig id="a"><caption><title>T.</title><p>P.</p></caption></fig><fig id="b"><label>2</label></fig>'
    )
    assert (one.caption, two.caption, two.label) == ("T.\nP.", "", "2")
    (empty,) = figures('<fig id="a"><caption><title/><p> </p></caption></fig>')
    assert empty.caption == ""


def test_figures_without_id_or_with_one_id_twice_are_told_apart():
    assert [f.id for f in figures('<fig/><fig id="x y"/><fig id="x_y"/><fig/>')] == ["n1", "x_y", "x_y+3", "n4"]


def test_a_group_s_caption_is_kept_apart():
    group = '<fig-group id="g"><caption><title>Both.</title></caption><fig id="a"><caption><p>A.</p></caption></fig>'
    a, b = figures(group + '<fig id="b"/></fig-group>')
    assert (a.caption, a.group_caption, b.caption, b.group_caption) == ("A.", "Both.", "", "Both.")


def test_a_group_with_a_picture_of_its_own_is_a_figure():
    g, a = figures(
        '<fig-group id="g"><caption><p>All.</p></caption><graphic xlink:href="all.jpg"/><fig id="a"/></fig-group>'
    )
    assert (g.id, g.caption, g.graphics[0].names, a.graphics) == ("g", "All.", ("all.jpg",), ())


def test_alternatives_are_one_picture_the_best_raster_first():
    (figure,) = figures(
        '<fig><alternatives><graphic xlink:href="a.svg"/><graphic specific-use="thumbnail" xlink:href="t.tif"/>'
        '<graphic xlink:href="a.jpg"/><graphic xlink:href="a"/><graphic xlink:href="a.png"/></alternatives>'
        '<p><graphic xlink:href="b.jpg"/></p></fig>'
    )
    assert [g.names for g in figure.graphics] == [("a.png", "a.jpg", "a", "a.svg", "t.tif"), ("b.jpg",)]


def test_formulas_in_a_caption_are_no_pictures_of_the_figure():
    (figure,) = figures(
        '<fig><caption><p><inline-formula><alternatives><graphic xlink:href="e1.gif"/></alternatives></inline-formula>'
        '</p></caption><media mimetype="video" xlink:href="v.mp4"/><graphic/><graphic xlink:href="a"/></fig>'
    )
    assert [g.names for g in figure.graphics] == [("a",)]


def test_figures_at_the_end_of_the_file_count_and_those_of_reviews_do_not():
    after = '<floats-group><fig id="f"/></floats-group><sub-article><body><fig id="r"/></body></sub-article>'
    article = parse_article(f'{HEAD}<body><sec><title>S</title><fig id="a"/></sec></body>{after}</article>'.encode())
    assert [(f.id, f.section) for f in article.figures] == [("a", ("S",)), ("f", ())]
    assert article.num_left_out == 1


def test_data_files_and_a_doi_line_are_no_part_of_a_caption():
    (figure,) = figures(
        "<fig><caption><p>Words.</p><p><bold>DOI:</bold> <ext-link>http://dx.doi.org/10.7554/eLife.1.2</ext-link></p>"
        "<p><supplementary-material><caption><title>Data</title><p>of it</p></caption></supplementary-material></p>"
        "</caption></fig>"
    )
    assert figure.caption == "Words."


@pytest.mark.parametrize(
    ("inside", "is_supplement"),
    [
        ('<fig specific-use="child-fig"/>', True),
        ("<fig><label>Figure 1\u2014figure supplement 2.</label></fig>", True),
        ("<fig><label>Fig. S3</label></fig>", True),
        ("<fig><label>S1 Fig</label></fig>", True),
        ("<supplementary-material><fig/></supplementary-material>", True),
        ("<fig><label>Figure 5</label></fig>", False),
        ("<fig><label>Fig SVM</label></fig>", False),
    ],
)
def test_supplements_are_told(inside, is_supplement):
    (figure,) = figures(inside)
    assert figure.is_supplement == is_supplement


def test_a_credit_line_is_kept():
    (figure,) = figures("<fig><caption><p>A film.</p></caption><attrib>Courtesy of a colleague.</attrib></fig>")
    assert figure.attribution == "Courtesy of a colleague."
