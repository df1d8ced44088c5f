import pytest

from osler.core.errors import InputError
from osler.datasets.jats.article import parse_article

FIGURES = "".join(
    f'<fig id="f{n}"><label>Figure {n}.</label><caption><p>C{n}.</p></caption></fig>' for n in range(1, 6)
)


def article(text: str, figures: str = FIGURES):
    return parse_article(f"<article><body><sec><title>Results</title>{text}</sec>{figures}</body></article>".encode())


def mentioned(text: str, figures: str = FIGURES):
    return {f.id: [m.words for m in f.mentions] for f in article(text, figures).figures if f.mentions}


def ref(rid: str, words: str) -> str:
    return f'<xref ref-type="fig" rid="{rid}">{words}</xref>'


@pytest.mark.parametrize(
    "inside", ["{}", "<bold>{}</bold>", "<italic>a <bold>{}</bold></italic>", "<sup>{}</sup>", "(<sub>{}</sub>)"]
)
def test_references_are_found_inside_markup(inside):
    (mention,) = article(f"<p>We saw {inside.format(ref('f1', 'Fig. 1'))} here.</p>").figures[0].mentions
    assert mention.words == "Fig. 1" and mention.text.startswith("We saw") and mention.text.endswith("here.")
    assert (mention.section, mention.section_number, mention.place) == (("Results",), 0, "paragraph")


def test_markup_inside_a_reference():
    assert mentioned(f"<p>{ref('f2', '<italic>Figure</italic> 2<bold>B</bold>')}</p>") == {"f2": ["Figure 2B"]}


def test_one_reference_to_several_figures():
    assert mentioned(f"<p>See {ref('f1 f3', 'Figures 1 and 3')}.</p>") == {
        "f1": ["Figures 1 and 3"],
        "f3": ["Figures 1 and 3"],
    }


@pytest.mark.parametrize(
    ("text", "between"),
    [
        (f"{ref('f1', 'Figures 1')}\u2013{ref('f4', '4')}", ["f2", "f3"]),
        (f"{ref('f1', 'Fig. 1A')} - {ref('f3', 'Fig. 3B')}", ["f2"]),
        (f"{ref('f2', 'Figs. 2')} to {ref('f4', '4')}", ["f3"]),
        (f"from {ref('f1', 'Figure 1')} to {ref('f4', 'Figure 4')}", []),
        (f"{ref('f1', 'Figure 1A')}\u2013{ref('f1', 'C')}", []),
        (f"{ref('f1', 'Figures 1')} and {ref('f3', '3')}", []),
        (f"{ref('f1', 'Figure 1')}\u2014{ref('f3', 'Figure 3')}", []),
        (f"{ref('f1', 'Figures 1')}, {ref('f3', '3')}", []),
    ],
)
def test_a_range_mentions_what_lies_between_its_ends(text, between):
    spanned = [f.id for f in article(f"<p>{text}</p>").figures if any(m.in_range for m in f.mentions)]
    assert spanned == between


def test_supplements_are_in_no_range():
    supplement = '<fig id="s" specific-use="child-fig"><label>Figure 2\u2014figure supplement 1.</label></fig>'
    found = mentioned(f"<p>{ref('f1', 'Figures 1')}\u2013{ref('f3', '3')}</p>", FIGURES + supplement)
    assert list(found) == ["f1", "f2", "f3"] and found["f2"] == ["Figures 1\u20133"]


def test_a_figure_s_own_caption_is_no_mention_but_another_s_is():
    figures = (
        f'<fig id="f1"><caption><p>{ref("f1", "Figure 1")} shows it.</p></caption></fig>'
        f'<fig id="f2"><caption><p>As in {ref("f1", "Figure 1")}.</p></caption></fig>'
    )
    one, two = article("", figures).figures
    (mention,) = one.mentions
    assert (mention.place, mention.text, mention.section_number) == ("caption", "As in Figure 1.", -1)
    assert two.mentions == ()


def test_a_group_is_mentioned_for_each_of_its_figures():
    group = '<fig-group id="g"><fig id="a"/><fig id="b"/></fig-group>'
    assert mentioned(f"<p>{ref('g', 'Figure 2')} {ref('b', '2B')}</p>", group) == {
        "a": ["Figure 2"],
        "b": ["Figure 2", "2B"],
    }


def test_a_figure_in_the_middle_of_its_paragraph_does_not_add_its_words():
    figures = ""
    text = f'<p>Before {ref("f1", "Fig 1")} <fig id="f1"><caption><p>Caption.</p></caption></fig>after.</p>'
    (mention,) = article(text, figures).figures[0].mentions
    assert mention.text == "Before Fig 1 after."


def test_headings_cells_and_footnotes_are_other_places():
    table = f"<table-wrap><table><tr><td>{ref('f1', '1')}</td></tr></table></table-wrap>"
    text = f"<p>x<fn><p>{ref('f1', 'Fig 1')}</p></fn></p>{table}"
    assert [m.place for m in article(text).figures[0].mentions] == ["other", "other"]


def test_reviews_and_dangling_references_mention_nothing():
    body = f"<body><p>{ref('f9', 'Figure 9')}</p>{FIGURES}</body>"
    review = f"<sub-article><body><p>{ref('f1', 'Figure 1')}</p></body></sub-article>"
    made = parse_article(f"<article>{body}{review}</article>".encode())
    assert all(not figure.mentions for figure in made.figures) and made.num_dangling == 1


def test_a_reference_counts_whatever_kind_it_says_it_is():
    assert mentioned('<p>See <xref rid="f1">this</xref>.</p>') == {"f1": ["this"]}


def test_a_file_that_multiplies_mentions_is_refused():
    group = f'<fig-group id="g">{"<fig/>" * 400}</fig-group>'
    with pytest.raises(InputError, match="^too large: more than 100,000 mentions"):
        article(f"<p>{ref('g', 'all') * 300}</p>", group)


def test_a_range_of_absurd_length_is_none():
    figures = '<fig id="a"><label>1</label></fig><fig id="b"><label>2</label></fig><fig id="c"><label>99</label></fig>'
    assert list(mentioned(f"<p>{ref('a', 'Figs 1')}-{ref('c', '99')}</p>", figures)) == ["a", "c"]
