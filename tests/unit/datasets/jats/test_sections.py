from osler.datasets.jats.article import parse_article
from osler.datasets.jats.contexts import figure_contexts

ARTICLE = b"""<article article-type="case-report"><front>
<journal-meta><journal-title>J</journal-title></journal-meta>
<article-meta><article-id pub-id-type="pmc">12</article-id><article-id pub-id-type="pmcid">PMC12</article-id>
<article-id pub-id-type="doi">https://doi.org/10.1/ABC</article-id><title-group><article-title>A <italic>b</italic>
</article-title></title-group><author-notes><fn><p>Not text.</p></fn></author-notes>
<abstract><sec><title>Aim</title><p>To see.</p></sec></abstract>
<abstract abstract-type="graphical"><p>Short.</p></abstract>
</article-meta></front>
<body><p>Lead.</p><sec><title>Results</title><p>One <xref ref-type="fig" rid="f">Fig 1</xref>.</p>
<list><list-item><p>Item.</p></list-item></list>
<sec><title>Part</title><p>Two.</p><table-wrap><caption><p>Not text.</p></caption></table-wrap></sec></sec>
<sec><title>Discussion</title><boxed-text><p>Boxed, <xref ref-type="fig" rid="f">Fig 1</xref>.</p></boxed-text></sec>
</body>
<back><ack><p>Thanks.</p></ack><ref-list><ref><note><p>Not text.</p></note></ref></ref-list>
<app-group><app><title>Appendix</title><fig id="f"><label>Fig 1</label></fig></app></app-group></back></article>"""


def test_running_text_under_its_headings():
    article = parse_article(ARTICLE)
    assert [(s.titles, s.paragraphs, s.part) for s in article.sections] == [
        (("Abstract", "Aim"), ("To see.",), "abstract"),
        (("Graphical",), ("Short.",), "abstract"),
        ((), ("Lead.",), "body"),
        (("Results",), ("One Fig 1.", "Item."), "body"),
        (("Results", "Part"), ("Two.",), "body"),
        (("Discussion",), ("Boxed, Fig 1.",), "body"),
        ((), ("Thanks.",), "back"),
    ]
    assert article.abstract == ("To see.", "Short.")
    assert article.figures[0].section == ("Appendix",)


def test_what_names_an_article():
    article = parse_article(ARTICLE)
    assert article.ids == ("pmcid:PMC12", "doi:10.1/abc")
    assert (article.title, article.journal, article.article_type) == ("A b", "J", "case-report")


def test_a_figure_s_context_is_the_sections_that_mention_it():
    (context,) = figure_contexts(parse_article(ARTICLE))
    assert [section.titles for section in context.sections] == [("Results",), ("Discussion",)]
    assert context.figure.mentions[1].text in context.sections[1].paragraphs


def test_ranges_may_be_left_out_of_a_context():
    text = '<p><xref rid="a">Figs 1</xref>-<xref rid="c">3</xref></p>'
    figures = "".join(f'<fig id="{id}"><label>Fig {n}</label></fig>' for n, id in enumerate("abc", 1))
    article = parse_article(f"<article><body>{text}{figures}</body></article>".encode())
    assert [len(c.sections) for c in figure_contexts(article)] == [1, 1, 1]
    assert [len(c.sections) for c in figure_contexts(article, ranges=False)] == [1, 0, 1]
