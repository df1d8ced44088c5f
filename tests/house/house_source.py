"""Where the code lies, and how it is parsed, for the tests of the house rules."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "osler"
PYTHON_FOLDERS = ("src", "tests", "benchmarks", "examples", "docs")


def source_files() -> list[Path]:
    """The Python files of the package."""
    return sorted(SRC.rglob("*.py"))


def python_files() -> list[Path]:
    """All Python files of the repository."""
    return sorted(path for folder in PYTHON_FOLDERS for path in (ROOT / folder).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    """The file as a syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def shown(path: Path) -> str:
    """The path as a message shows it."""
    return path.relative_to(ROOT).as_posix()
