"""HOUSE.md, The tree: known folders at the top, and catalogue folders that hold entries only."""

import ast

import pytest
from house_source import ROOT, SRC, parsed, shown

from osler.cli.main import COMMANDS
from osler.core.catalog import CATALOGS

TOP_FOLDERS = {"recipes", "runs", "benchmarks", "examples", "docs", "tests", "src", "plugins", "deploy"}
NOT_OURS = {"out", "dist", "build"}
TOP_FILES = {
    "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "constraints.txt", "Makefile",
    ".gitignore",
}  # fmt: skip
PACKAGES = {
    "core", "schema", "media", "store", "endpoint", "datasets", "model", "curate", "scoring", "infer", "train", "rl",
    "synth", "evaluation", "transfer", "serve", "report", "cli",
}  # fmt: skip
TEST_FOLDERS = {"unit", "contract", "e2e", "golden", "house", "fixtures"}
RECIPE_FOLDERS = {
    "curate", "mix", "train", "rl", "synth", "eval", "transfer", "serve", "tiny", "demo", "real", "export",
}  # fmt: skip


def folders(path):
    return {p.name for p in path.iterdir() if p.is_dir() and not p.name.startswith((".", "__pycache__"))}


def test_the_top_level_is_known():
    assert folders(ROOT) - NOT_OURS <= TOP_FOLDERS
    assert {p.name for p in ROOT.iterdir() if p.is_file()} - {".git"} <= TOP_FILES
    assert {name for name in TOP_FILES if not (ROOT / name).is_file()} == set()


def test_packages_are_those_of_the_house_page():
    assert folders(SRC) == PACKAGES
    assert {p.name for p in SRC.iterdir() if p.is_file()} <= {"__init__.py", "py.typed"}


def test_test_and_recipe_folders_are_known():
    assert folders(ROOT / "tests") <= TEST_FOLDERS
    assert folders(ROOT / "recipes") <= RECIPE_FOLDERS


@pytest.mark.parametrize("catalog", [*CATALOGS.values(), COMMANDS], ids=lambda catalog: catalog.noun)
def test_a_catalogue_folder_holds_entries_only(catalog):
    """Each file defines the catalogue's name at its top and says in a docstring what it is."""
    for path in sorted(catalog.folder().iterdir()):
        if path.name in {"__init__.py", "__pycache__"}:
            continue
        assert path.suffix == ".py", f"{shown(path)} is no entry"
        assert not path.name.startswith("_"), f"{shown(path)}: what entries share stands beside the folder"
        names = {
            target.id
            for node in parsed(path).body
            for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
            if isinstance(target, ast.Name)
        }
        assert catalog.attribute in names, f"{shown(path)} defines no {catalog.attribute}"
        assert ast.get_docstring(parsed(path)), f"{shown(path)} has no docstring"
