"""HOUSE.md, Layers: the light half runs without an accelerator stack, and `osler --help` imports little."""

import json
import resource
import subprocess
import sys

from house_source import SRC

LIGHT = ("core", "schema", "store", "media", "endpoint", "datasets", "report", "cli")
HEAVY = ("torch", "transformers", "trl", "accelerate", "ray", "vllm", "fastapi")
HELP_CPU_S = 0.3

BLOCKED = """
import importlib, sys
for name in {heavy!r}:
    sys.modules[name] = None  # an import of it now fails
for name in {modules!r}:
    importlib.import_module(name)
"""
HELP = """
import json, sys
from osler.cli.main import main
assert main(["--help"]) == 0
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def light_modules() -> list[str]:
    """Every module of the light packages, by its dotted path."""
    files = sorted(path for package in LIGHT for path in (SRC / package).rglob("*.py"))
    parts = [path.relative_to(SRC.parent).with_suffix("").parts for path in files]
    return [".".join(part[:-1] if part[-1] == "__init__" else part) for part in parts]


def test_the_light_half_imports_without_torch():
    modules = light_modules()
    assert "osler.core.files" in modules
    code = BLOCKED.format(heavy=HEAVY, modules=modules)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}
    assert loaded & {"pydantic", "numpy", "yaml", "pyarrow", "PIL", "rich", *HEAVY} == set()
    assert "usage: osler COMMAND" in done.stdout


def test_help_answers_at_once():
    """CPU seconds of the child, start-up of Python included; the least of three, as other work shares the cores."""
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "osler.cli.main", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < HELP_CPU_S
