"""HOUSE.md, Sizes: a class inherits from our own classes at most once."""

import ast

from house_source import parsed, shown, source_files

MAX_DEPTH = 1
# The frozen base types, `Record` and `Config`, hold pydantic's settings and no behaviour to look up.
FREE = {"Record", "Config"}


def own_bases(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Each class and the classes of ours that it names as its bases."""
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases} for node in classes}
    return {name: (found & bases.keys()) - FREE for name, found in bases.items()}


def depth(name: str, bases: dict[str, set[str]]) -> int:
    return max((1 + depth(base, bases) for base in bases[name] if base != name), default=0)


def test_no_class_inherits_twice():
    bases = own_bases({shown(path): parsed(path) for path in source_files()})
    errors = {"InputError", "DiskFullError"}  # the tree of errors is drawn at the head of core/errors.py
    assert [name for name in bases if depth(name, bases) > MAX_DEPTH and name not in errors] == []


def test_the_check_itself():
    tree = ast.parse("class A: ...\nclass B(A): ...\nclass C(B): ...\nclass D(Record): ...\nclass Record: ...")
    bases = own_bases({"x": tree})
    assert {name: depth(name, bases) for name in "ABCD"} == {"A": 0, "B": 1, "C": 2, "D": 0}
