import sys

import pytest

from osler.core.catalog import Catalog
from osler.core.errors import InputError


@pytest.fixture
def catalog(tmp_path, monkeypatch):
    folder = tmp_path / "fruit_catalog"
    folder.mkdir()
    (folder / "__init__.py").write_text('"""Fruit."""\n')
    (folder / "apple.py").write_text('"""Round, and red.\n\nMore words."""\n\nFRUIT = "apple"\n')
    (folder / "pear.py").write_text('"""Green."""\n\nimport no_such_package_here\n\nFRUIT = "pear"\n')
    (folder / "stone.py").write_text('"""No fruit."""\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Catalog("fruit_catalog", "FRUIT", "fruit")
    for name in [name for name in sys.modules if name.partition(".")[0] == "fruit_catalog"]:
        del sys.modules[name]


def test_names_and_summaries_import_no_entry(catalog):
    assert catalog.names() == ["apple", "pear", "stone"]
    assert catalog.summary("apple") == "Round, and red."
    assert "fruit_catalog.apple" not in sys.modules


def test_an_entry_is_loaded_by_name_and_by_dotted_path(catalog):
    assert catalog.load("apple") == "apple"
    assert catalog.load("fruit_catalog.apple") == "apple"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("aple", "unknown fruit 'aple'; expected one of apple, pear, stone. Did you mean 'apple'?"),
        ("stone", "expected a module that defines FRUIT"),
        ("pear", "needs the package 'no_such_package_here'"),
        ("elsewhere.plum", "no module 'elsewhere.plum' for a fruit"),
    ],
)
def test_what_cannot_be_loaded_says_why(catalog, name, said):
    with pytest.raises(InputError) as error:
        catalog.load(name)
    assert said in str(error.value)
