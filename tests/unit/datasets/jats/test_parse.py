import http.server
import threading
import time

import pytest

from osler.core.errors import InputError
from osler.datasets.jats.article import parse_article, read_article
from osler.datasets.jats.parse import MAX_BYTES, parse_tree

LAUGHS = b"""<!DOCTYPE article [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><article><front>&c;</front></article>"""


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "broken XML: Document is empty"),
        (b"   ", "broken XML: Start tag expected"),
        (b"%PDF-1.4", "broken XML: Start tag expected"),
        (b"<article><front></article>", "broken XML: Opening and ending tag mismatch: front"),
        (b"<article>&made-up;</article>", "broken XML: Entity 'made-up' not defined"),
        (b"<article>\x00</article>", "broken XML: Invalid character"),
        (b"<article>" + b"<sec>" * 300 + b"</sec>" * 300 + b"</article>", "broken XML: Excessive depth"),
        (b"<article>" + b"x" * 11_000_000 + b"</article>", "broken XML: Resource limit exceeded"),
        (b"<article>\xe9</article>", "broken XML: .*(UTF-8|encoding|bytes)"),
        (b'<?xml version="1.0" encoding="utf-7"?><article/>', "encoding: utf-7 is not read"),
        (b"<PubmedArticleSet/>", "no JATS article: root element 'PubmedArticleSet' with no article"),
        (b"<set><article/><article/></set>", "no JATS article: root element 'set' with 2 articles"),
        (LAUGHS, "entities: the file declares entities of its own"),
        (LAUGHS.decode().encode("utf-16"), "entities: the file declares"),
        (b'<!DOCTYPE article [<!ENTITY % x SYSTEM "http://h/x"> %x;]><article/>', "entities: the file declares"),
        (b'<!DOCTYPE article SYSTEM "a.dtd"><article><front>&made-up;</front></article>', "entities: &made-up; is not"),
    ],
)
def test_what_is_no_article_is_refused_with_the_reason(data, reason):
    with pytest.raises(InputError, match=f"^{reason}"):
        parse_article(data)


def test_a_file_outside_is_never_read(tmp_path):
    (tmp_path / "secret").write_text("planted-words")
    declared = (
        f'<!DOCTYPE article [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><article><front>&x;</front></article>'
    )
    with pytest.raises(InputError, match="^entities") as error:
        parse_article(declared.encode())
    assert "planted" not in str(error.value)
    path = tmp_path / "a.xml"
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{tmp_path}/secret" parse="text"/>'
    path.write_text(f"<article><body><p>Seen {include}only.</p></body></article>")
    assert read_article(path).sections[0].paragraphs == ("Seen only.",)


def test_nothing_is_fetched_for_a_doctype():
    asked: list[str] = []

    class Counts(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Counts)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/a.dtd"
        data = f'<!DOCTYPE article PUBLIC "-//x" "{url}"><article><body><p>a&nbsp;b</p></body></article>'
        assert parse_article(data.encode()).sections[0].paragraphs == ("a b",)
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.xml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    start = time.perf_counter()
    with pytest.raises(InputError, match=r"^too large: 100,000,000 bytes; expected at most 32,000,000"):
        read_article(path)
    assert time.perf_counter() - start < 0.1
    with pytest.raises(InputError, match="^too large"):
        parse_tree(b" " * (MAX_BYTES + 1))


def test_characters_by_name_come_from_html_as_the_dtd_is_not_read():
    root = parse_tree(b'<!DOCTYPE a PUBLIC "x" "y.dtd"><a>p &lt; 0.05 &plusmn; 2<b>&alpha;</b>&beta;&gamma;</a>')
    assert "".join(root.itertext()) == "p < 0.05 \u00b1 2\u03b1\u03b2\u03b3" and len(root) == 1


def test_an_archive_may_wrap_the_article_and_give_it_a_namespace():
    data = b"""<reply xmlns="urn:oai"><record><article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/"
        article-type="x"><front><article-meta><article-id pub-id-type="pmid">7</article-id></article-meta></front>
        <body><p>Words.</p></body></article></record></reply>"""
    article = parse_article(data)
    assert (article.pmid, article.sections[0].paragraphs) == ("7", ("Words.",))
