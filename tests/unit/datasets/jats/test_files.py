import pytest

from osler.core.errors import InputError
from osler.datasets.jats.files import ImageFiles, read_assets
from osler.datasets.jats.parse import parse_tree
from osler.datasets.jats.types import Graphic


@pytest.mark.parametrize(
    ("files", "names", "path"),
    [
        (["fig1.jpg"], ["fig1.jpg"], "fig1.jpg"),
        (["img/fig1.jpg"], ["img/fig1.jpg"], "img/fig1.jpg"),
        (["img/fig1.jpg"], ["./fig1.tif"], "img/fig1.jpg"),
        (["pone.0000217.g001.jpg", "pone.0000217.g001.gif"], ["pone.0000217.g001"], "pone.0000217.g001.jpg"),
        (["journal.pone.1.g001.TIF"], ["info:doi/10.1371/journal.pone.1.g001"], "journal.pone.1.g001.TIF"),
        (["pone.1.g001.png"], ["info:doi/10.1371/journal.pone.1.g001"], "pone.1.g001.png"),
        (["journal.pone.1.g001.png"], ["pone.1.g001.tif"], "journal.pone.1.g001.png"),
        (["elife00013f001.jpg"], ["https://cdn.example.org/a/elife00013f001.tif?x=1#p"], "elife00013f001.jpg"),
        (["a.jpg", "a.png"], ["a"], "a.png"),
        (["a.jpg", "a.png"], ["b.tif", "a.jpg"], "a.jpg"),
        (["fig3.png"], ["fig3.svg"], "fig3.png"),
        (["one/fig1.jpg", "two/fig1.jpg", "main/fig1.jpg"], ["fig1"], "main/fig1.jpg"),
        (["fig1.jpg", "two/fig1.png"], ["fig1"], "fig1.jpg"),
        (["g001.v2.jpg"], ["g001.v2"], "g001.v2.jpg"),
    ],
)
def test_a_picture_is_found_by_its_name(files, names, path):
    assert ImageFiles(files).find(Graphic(tuple(names)), article="main").path == path


@pytest.mark.parametrize(
    ("files", "name", "why"),
    [
        ([], "fig1.jpg", "no fig1.jpg"),
        (["fig11.jpg", "fig1b.jpg"], "fig1", "no fig1"),
        ([], "fig3.svg", "fig3.svg is a drawing without a picture beside it"),
        (["one/fig1.jpg", "two/fig1.jpg"], "fig1", "several folders hold fig1"),
        (["a.jpg"], "../../etc/passwd", "no passwd"),
        (["a.jpg"], "/", "no "),
    ],
)
def test_why_there_is_none(files, name, why):
    found = ImageFiles(files).find(Graphic((name,)), article="main")
    assert (found.path, found.why) == ("", why)


def test_a_manifest_names_files():
    root = parse_tree(b'<dar><assets><asset id="fig-9" path="x/a.jpg"/><asset id="n"/></assets></dar>')
    files = ImageFiles(["x/a.jpg"], read_assets(root))
    assert files.find(Graphic(("fig-9",)), article="m").path == "x/a.jpg"
    with pytest.raises(InputError, match="no manifest: root element 'article'"):
        read_assets(parse_tree(b"<article/>"))
