"""What the documents say exists: links, recipes, commands, make targets, and the place of the demo's numbers."""

import json
import re
import subprocess
import sys

import pytest
from house_source import ROOT, shown

from osler.cli.main import COMMANDS

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = sorted((ROOT / "runs").glob("*.sh"))


def text(path):
    return path.read_text(encoding="utf-8")


def code_lines(page):
    """The lines of a script, or those that a page sets out as code by four spaces."""
    lines = text(page).splitlines()
    return lines if page.suffix == ".sh" else [line for line in lines if line.startswith("    ")]


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [*PAGES, *SCRIPTS], ids=shown)
def test_commands_recipes_and_make_targets_exist(page):
    shown_commands = {name.replace("_", "-") for name in COMMANDS.names()} | {"COMMAND"}
    targets = set(re.findall(r"^([a-z0-9-]+):.*## ", text(ROOT / "Makefile"), flags=re.MULTILINE))
    lines = [line.partition("#")[0].split() for line in code_lines(page)]
    commands = [words[1] for words in lines if words[:1] == ["osler"] and len(words) > 1]
    assert [name for name in commands if name not in shown_commands] == []
    made = [word for words in lines if words[:1] == ["make"] for word in words[1:]]
    assert [word for word in made if word not in targets] == []
    recipes = re.findall(r"\brecipes/[a-z0-9_/]+\.yaml", text(page))
    assert [path for path in recipes if not (ROOT / path).is_file()] == []


def test_make_help_lists_every_target():
    makefile = text(ROOT / "Makefile")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE).group(1).split()
    documented = re.findall(r"^([a-z0-9-]+):.*## ", makefile, flags=re.MULTILINE)
    assert sorted(targets) == sorted(documented)


def readme_numbers(report, readme):
    script = ROOT / "docs" / "readme_numbers.py"
    return subprocess.run([sys.executable, str(script), str(report), str(readme)], capture_output=True, check=False)


def test_the_readme_has_one_place_for_numbers_and_it_is_filled_from_a_report(tmp_path):
    interval = {"ci_low": 0.8, "ci_high": 0.95}
    row = {"task": "side", "metric": "accuracy", "value": 0.9, "n": 10, "unparsed": 1, **interval}
    headline = [{**row, "baseline": {"blind": {"value": 0.5, "ci_low": None, "ci_high": None}}}]
    report, readme = tmp_path / "report.json", tmp_path / "README.md"
    difference = {"value": 0.06, "ci_low": 0.02, "ci_high": 0.1, "n": 10}
    pair = {"first": "a", "second": "b", "task": "side", "metric": "accuracy", "difference": difference}
    rows = [*headline, {**headline[0], "metric": "token_f1", "value": 0.1}]
    report.write_text(json.dumps({"headline": rows, "comparisons": [pair]}))
    readme.write_text(text(ROOT / "README.md"))
    for _ in range(2):
        assert readme_numbers(report, readme).returncode == 0
    rows = [line for line in text(readme).splitlines() if line.startswith("| side")]
    assert rows == ["| side | accuracy | 0.900 (0.800 to 0.950) | not measured | 0.500 | not measured | 10 | 1 |"]
    assert text(readme).count("- side, b minus a: +0.060 (+0.020 to +0.100), n 10") == 1


def test_a_readme_without_the_place_is_refused(tmp_path):
    report, readme = tmp_path / "report.json", tmp_path / "README.md"
    report.write_text('{"headline": []}')
    readme.write_text("nothing")
    assert readme_numbers(report, readme).returncode == 2
    assert text(readme) == "nothing"


def test_constraints_fix_every_package_and_torch_first():
    lines = [line for line in text(ROOT / "constraints.txt").splitlines() if not line.startswith("#")]
    assert lines[0] == "torch==2.13.0"
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+", line)] == []
    assert not [line for line in lines if line.startswith("torchvision")]
    assert "torchvision" not in text(ROOT / "pyproject.toml")
