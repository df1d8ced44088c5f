"""HOUSE.md, Sizes: a class inherits from our own classes at most once."""

import ast

from house_source import parsed, shown, source_files

MAX_DEPTH = 1
# The frozen base types, `Record` and `Config`, hold pydantic's settings and no behaviour to look up.
FREE = {"Record", "Config"}


def own_bases(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Each class and the classes of ours that it names as its bases."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases} - from_typing(tree)
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    return {name: (found & bases.keys()) - FREE for name, found in bases.items()}


def from_typing(tree: ast.Module) -> set[str]:
    """What a file imports from `typing`: its Protocol is no class of ours, whatever we call our own."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "typing"]
    return {alias.name for node in found for alias in node.names}


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
    theirs = ast.parse("from typing import Protocol\nclass E(Protocol): ...\nclass F(E): ...")
    bases = own_bases({"x": ast.parse("class Protocol(Record): ..."), "y": theirs})
    assert {name: depth(name, bases) for name in "EF"} == {"E": 0, "F": 1}
