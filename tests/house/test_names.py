"""HOUSE.md, Names and rules 8 and 10: what files are called, and what no file may hold."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from house_source import ROOT, SRC, parsed, python_files, shown, source_files

from osler.core.catalog import CATALOGS

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "v2", "legacy"}
FORBIDDEN_CALLS = {"eval", "exec", "breakpoint"}
FORBIDDEN_MODULES = {"pickle", "dill", "cloudpickle", "shelve", "marshal", "pdb"}
READS_ENVIRONMENT = {SRC / "core" / "settings.py"}
TEXT_SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ".txt", ".json", ".css", ".html", ".jinja", ""}
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:home|root|Users|mnt|work|data|scratch)/\w")


def test_no_file_has_a_name_that_says_nothing():
    assert [shown(p) for p in python_files() if FORBIDDEN_NAMES & set(p.relative_to(ROOT).with_suffix("").parts)] == []


def test_init_files_hold_a_docstring_and_nothing_else():
    wrong = [
        shown(path)
        for path in source_files()
        if path.name == "__init__.py" and (len(parsed(path).body) != 1 or ast.get_docstring(parsed(path)) is None)
    ]
    assert wrong == []


def environment_reads(tree: ast.Module) -> list[int]:
    names = {"environ", "getenv", "putenv", "environb"}
    attributes = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in names]
    imports = [
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and n.module == "os" and names & {alias.name for alias in n.names}
    ]
    return attributes + imports


def test_only_settings_reads_the_environment():
    assert [shown(p) for p in source_files() if environment_reads(parsed(p)) and p not in READS_ENVIRONMENT] == []


def forbidden_code(tree: ast.Module) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            found.append(f"{node.lineno} {node.func.id}")
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
            found.append(f"{node.value.lineno} trust_remote_code")
        if isinstance(node, ast.Import):
            found += [f"{node.lineno} {a.name}" for a in node.names if a.name.partition(".")[0] in FORBIDDEN_MODULES]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES:
            found.append(f"{node.lineno} {node.module}")
    return found


def test_no_code_from_data_and_no_pickle():
    assert [f"{shown(path)}:{found}" for path in source_files() for found in forbidden_code(parsed(path))] == []


def test_no_bare_except():
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for path in source_files()
        for node in ast.walk(parsed(path))
        if (isinstance(node, ast.ExceptHandler) and node.type is None)
    ]
    assert wrong == []


def repository_files() -> list[Path]:
    """The files git would keep; without git, the folders that hold text of ours."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]
    return [path for path in python_files() if path.is_file()]


def test_no_file_names_a_place_on_somebodys_machine():
    wrong = []
    for path in repository_files():
        if path.suffix not in TEXT_SUFFIXES or path.name in {"LICENSE", Path(__file__).name}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if MACHINE_PATH.search(line):
                wrong.append(f"{shown(path)}:{number} {line.strip()[:80]}")
    assert wrong == []


def test_no_cache_no_notebook_and_no_large_file_is_kept():
    bad = {".pyc", ".ipynb", ".pt", ".bin", ".safetensors", ".pkl"}
    assert [shown(p) for p in repository_files() if p.suffix in bad or p.stat().st_size > 100_000] == []


def test_unit_tests_mirror_the_source():
    """`train/pack.py` is tested by `tests/unit/train/test_pack.py`; a suffix may split it: `test_pack_rows.py`.

    A catalogue folder is tested as one: `scoring/metrics/` by `tests/unit/scoring/test_metrics.py`, or by files of
    any name in `tests/unit/scoring/metrics/`.
    """
    unit = ROOT / "tests" / "unit"
    catalogues = [catalog.folder() for catalog in CATALOGS.values()]
    wrong = []
    for path in sorted(unit.rglob("test_*.py")):
        folder = SRC / path.parent.relative_to(unit)
        if folder in catalogues:
            continue
        stem = path.stem.removeprefix("test_")
        known = [p.stem for p in folder.iterdir()] if folder.is_dir() else []
        if not any(stem == name or stem.startswith(f"{name}_") for name in known if name != "__init__"):
            wrong.append(shown(path))
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "num_found"),
    [
        ("eval('1')", 1),
        ("import pickle", 1),
        ("from dill import loads", 1),
        ("f(trust_remote_code=True)", 1),
        ("model.eval()", 0),
        ("import ast", 0),
    ],
)
def test_the_check_of_code_itself(code, num_found):
    assert len(forbidden_code(ast.parse(code))) == num_found


def test_the_check_of_the_environment_itself():
    assert environment_reads(ast.parse("import os\nos.environ['A']")) == [2]
    assert environment_reads(ast.parse("from os import getenv")) == [1]
    assert environment_reads(ast.parse("import os\nos.cpu_count()")) == []
