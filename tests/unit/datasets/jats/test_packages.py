import sys

import pytest

from osler.core.errors import InputError
from osler.datasets.dataset import BadRow
from osler.datasets.jats.packages import ArticleRows, find_contexts, find_packages

ARTICLE = '<article xmlns:x="http://www.w3.org/1999/xlink"><front><article-meta>{ids}</article-meta></front><body>{figs}</body></article>'


def write(path, *graphics, ids=""):
    figs = "".join(f'<fig id="f{n}"><graphic x:href="{name}"/></fig>' for n, name in enumerate(graphics, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(ARTICLE.format(ids=ids, figs=figs))


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")


def rows(root):
    return list(ArticleRows()(root, "train"))


def test_pictures_belong_to_the_nearest_folder_with_an_article(tmp_path):
    write(tmp_path / "a" / "a.xml", "fig1.jpg")
    picture(tmp_path / "a" / "pics" / "deep" / "fig1.jpg")
    write(tmp_path / "a" / "inner" / "b.nxml", "fig1.jpg")
    picture(tmp_path / "a" / "inner" / "fig1.jpg")
    picture(tmp_path / "lost.jpg")
    found = {p.folder.relative_to(tmp_path).as_posix(): p.images for p in find_packages(tmp_path)}
    assert found == {"a": ("pics/deep/fig1.jpg",), "a/inner": ("fig1.jpg",)}
    assert [row["images"] for row in rows(tmp_path)] == [["a/pics/deep/fig1.jpg"], ["a/inner/fig1.jpg"]]


def test_a_picture_that_two_articles_name_is_nobody_s(tmp_path):
    write(tmp_path / "a.xml", "fig1.jpg", "a2.jpg")
    write(tmp_path / "b.xml", "fig1.jpg")
    for name in ("fig1.jpg", "a2.jpg"):
        picture(tmp_path / name)
    assert [(row["images"], row["missing"]) for row in rows(tmp_path)] == [
        ([], ["several articles name fig1.jpg"]),
        (["a2.jpg"], []),
        ([], ["several articles name fig1.jpg"]),
    ]


def test_figures_with_the_same_picture_come_together(tmp_path):
    write(tmp_path / "a.xml", "one.jpg", "two.jpg", "one.png")
    for name in ("one.jpg", "two.jpg"):
        picture(tmp_path / name)
    assert [(row["id"], row["images"]) for row in rows(tmp_path)] == [
        ("a/f1", ["one.jpg"]),
        ("a/f3", ["one.jpg"]),
        ("a/f2", ["two.jpg"]),
    ]


def test_an_article_that_comes_twice_is_read_once(tmp_path):
    doi, pmid = '<article-id pub-id-type="doi">10.1/A</article-id>', '<article-id pub-id-type="pmid">5</article-id>'
    write(tmp_path / "a.xml", "f.jpg", ids=doi + pmid)
    write(tmp_path / "b.xml", "f.jpg", ids=doi.replace("A", "a"))
    write(tmp_path / "c.xml", "f.jpg", ids=pmid)
    first, *others = rows(tmp_path)
    assert first["id"] == "10.1/a/f1"
    assert others == [
        BadRow("repeated article: b.xml is doi:10.1/a again"),
        BadRow("repeated article: c.xml is pmid:5 again"),
    ]


def test_files_without_an_article_or_without_figures_are_counted(tmp_path):
    write(tmp_path / "a.xml")
    (tmp_path / "b.xml").write_text("<note/>")
    (tmp_path / "c.xml").write_bytes(b"")
    (tmp_path / "._d.xml").write_bytes(b"")
    (tmp_path / "manifest.xml").write_text("<dar/>")
    assert rows(tmp_path) == [
        BadRow("no figures: a.xml"),
        BadRow("no JATS article: b.xml: root element 'note' with no article"),
        BadRow("broken XML: c.xml: Document is empty, line 1, column 1"),
    ]


def test_figures_of_reviews_and_a_broken_manifest_are_counted(tmp_path):
    review = "<sub-article><body><fig/><fig/></body></sub-article>"
    (tmp_path / "a.xml").write_text(f"<article><body><p/></body>{review}</article>")
    (tmp_path / "manifest.xml").write_text("<dar>")
    kinds = [row.reason.split(":")[0] for row in rows(tmp_path)]
    assert kinds == ["broken XML", "no figures", "figures of reviews or translations"]


def test_an_article_without_ids_is_named_by_its_path(tmp_path):
    write(tmp_path / "my set" / "one article.xml", "f.jpg")
    (row,) = rows(tmp_path)
    assert (row["id"], row["article"]) == ("my_set/one_article/f1", "my_set/one_article")


def test_where_there_is_no_article_a_missing_file_is_told(tmp_path):
    (path,) = ArticleRows().paths(tmp_path, "train")
    assert not path.exists()


def test_contexts_come_under_the_samples_record_ids(tmp_path):
    write(tmp_path / "a.xml", "x.jpg", "y.jpg")
    write(tmp_path / "b.xml", "z.jpg")
    (tmp_path / "c.xml").write_bytes(b"")
    found = [(id, context.figure.id) for id, context in find_contexts(tmp_path)]
    assert found == [("a/f1", "f1"), ("a/f2", "f2"), ("b/f1", "f1")]
    assert [id for id, _ in found] == [row["id"] for row in rows(tmp_path) if not isinstance(row, BadRow)]


def test_without_the_parser_the_run_ends_and_names_the_extra(tmp_path, monkeypatch):
    write(tmp_path / "a.xml", "x.jpg")
    monkeypatch.setitem(sys.modules, "lxml", None)
    with pytest.raises(InputError, match=r"need the package lxml\. pip install 'osler\[curate\]'"):
        rows(tmp_path)
