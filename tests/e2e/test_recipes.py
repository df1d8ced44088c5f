"""Every recipe of recipes/tiny, run in order on a CPU in a folder of its own."""

import json
import subprocess
import sys

import pytest
from chain import ROOT, TINY, demo_commands, tiny_commands

from osler.cli.outfolder import output_files
from osler.core.files import sha256_file
from osler.schema.manifest import Manifest

pytestmark = pytest.mark.e2e
COMMANDS = tiny_commands()
REPEATED = [name for name in ("phantom", "curate_phantom", "align", "transfer", "eval", "report") if name in COMMANDS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("e2e")


def osler(command, folder):
    return subprocess.run(
        [sys.executable, "-m", "osler.cli.main", *command[1:]], cwd=folder, capture_output=True, text=True, check=False
    )


def out_of(command, folder):
    return folder / command[command.index("--out") + 1]


def test_every_tiny_recipe_has_its_place_in_the_chain():
    assert sorted(COMMANDS) == sorted(path.stem for path in TINY.glob("*.yaml"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_recipe_runs_and_leaves_a_finished_folder(name, folder):
    done = osler(COMMANDS[name], folder)
    assert done.returncode == 0, done.stderr
    out = out_of(COMMANDS[name], folder)
    manifest = Manifest.model_validate_json((out / "manifest.json").read_text())
    assert manifest.outputs == {p.relative_to(out).as_posix(): sha256_file(p) for p in output_files(out)}
    again = osler(COMMANDS[name], folder)
    assert (again.returncode, again.stderr.strip().endswith("already finished")) == (0, True)


@pytest.mark.parametrize("name", REPEATED)
def test_running_a_recipe_again_gives_the_same_bytes(name, folder):
    first = out_of(COMMANDS[name], folder)
    command = [*COMMANDS[name][:-1], f"{COMMANDS[name][-1]}-again"]
    done = osler(command, folder)
    assert done.returncode == 0, done.stderr
    kept = {path.relative_to(first) for path in output_files(first)}
    # It holds times: how long a step took.
    timed = {"metrics.jsonl"}
    differ = [
        str(path) for path in sorted(kept)
        if path.name not in timed and sha256_file(first / path) != sha256_file(out_of(command, folder) / path)
    ]  # fmt: skip
    assert differ == []


@pytest.mark.skipif("score" not in COMMANDS, reason="recipes/tiny holds no score.yaml")
def test_scores_made_again_are_the_same(folder):
    first, again = (out_of(COMMANDS[name], folder) / "results.json" for name in ("eval", "score"))
    assert json.loads(first.read_text()) == json.loads(again.read_text())


def test_an_unknown_key_is_refused_by_every_recipe(folder):
    for command in COMMANDS.values():
        done = osler([*command, "no_such_key=1"], folder)
        assert done.returncode == 2, command
        assert "unknown key 'no_such_key'" in done.stderr


def test_demo_recipes_resolve():
    commands = demo_commands()
    assert len(commands) == 8
    for command in commands.values():
        done = subprocess.run(
            [sys.executable, "-m", "osler.cli.main", *command[1:], "--dry-run"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
