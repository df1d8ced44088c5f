import sys
import types

import pytest
import yaml

from osler.cli import recipe_command as recipe_command_module
from osler.cli.arguments import command_parser
from osler.cli.recipe_command import recipe_command
from osler.core.config import Config
from osler.core.errors import InputError
from osler.core.files import read_json, sha256_json, write_text
from osler.core.outcome import Outcome
from osler.schema.manifest import Manifest


class Toy(Config):
    seed: int = 3
    word: str = "x"
    source: str = ""


@pytest.fixture
def runs(monkeypatch):
    """A command whose work is to write a word; returns the list of its runs."""
    module = types.ModuleType("toy_command")
    seen = []

    def run(config, out, *, device, log):
        seen.append((config.word, device, log.quiet))
        if config.word == "break":
            raise RuntimeError("cut")
        write_text(out / "word.txt", config.word)
        return Outcome("written", seeds={"seed": config.seed}, counts={"words": 1})

    module.parse, module.run = Toy.parse, run
    module.inputs = lambda config: [config.source] if config.source else []
    monkeypatch.setitem(sys.modules, "toy_command", module)
    return seen


def osler_toy(*argv, module="toy_command"):
    command, parser = recipe_command(module), command_parser("toy", "")
    command.add_arguments(parser)
    return command.run(parser.parse_intermixed_args([str(argument) for argument in argv]))


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("word: hello\n")
    return path


def test_a_run_leaves_result_resolved_recipe_and_manifest(runs, recipe, tmp_path, capsys):
    out = tmp_path / "out"
    assert osler_toy(recipe, "--out", out, "seed=5", "--quiet", f"source={recipe}") == 0
    resolved = yaml.safe_load((out / "recipe.yaml").read_text())
    assert resolved == {"seed": 5, "word": "hello", "source": str(recipe)}
    manifest = Manifest.model_validate(read_json(out / "manifest.json"))
    assert sorted(manifest.outputs) == ["recipe.yaml", "word.txt"]
    assert list(manifest.inputs) == [str(recipe)]
    assert manifest.seeds == {"seed": 5} and manifest.counts == {"words": 1}
    assert manifest.recipe_sha256 == sha256_json(resolved)
    assert manifest.packages["osler"] and manifest.packages["pydantic"]
    assert runs == [("hello", "cpu", True)]
    assert capsys.readouterr().err == "written\n"


def test_a_finished_run_is_not_run_again(runs, recipe, tmp_path, capsys):
    for _ in range(2):
        assert osler_toy(recipe, "--out", tmp_path / "out") == 0
    assert len(runs) == 1
    assert capsys.readouterr().err.endswith("already finished\n")
    assert osler_toy(recipe, "--out", tmp_path / "out", "--overwrite") == 0
    assert len(runs) == 2


def test_a_finished_run_that_lacks_something_is_taken_up_again(runs, recipe, tmp_path, capsys):
    out, toy = tmp_path / "out", sys.modules["toy_command"]
    osler_toy(recipe, "--out", out)
    before = read_json(out / "manifest.json")
    toy.is_wanting = lambda out: len(runs) < 3 and (out / "word.txt").is_file()
    for _ in range(3):
        assert osler_toy(recipe, "--out", out) == 0
    assert len(runs) == 3 and capsys.readouterr().err.endswith("already finished\n")
    after = read_json(out / "manifest.json")
    assert (after["started"], after["outputs"]) == (before["started"], before["outputs"])


def test_a_cut_while_a_finished_run_is_taken_up_leaves_it_unfinished(runs, recipe, tmp_path):
    out, toy = tmp_path / "out", sys.modules["toy_command"]
    osler_toy(recipe, "--out", out)
    toy.is_wanting, whole = (lambda out: True), toy.run
    toy.run = lambda config, out, *, device, log: 1 / 0
    with pytest.raises(ZeroDivisionError):
        osler_toy(recipe, "--out", out)
    assert not (out / "manifest.json").exists()
    toy.run, toy.is_wanting = whole, lambda out: False
    assert osler_toy(recipe, "--out", out) == 0 and (out / "manifest.json").is_file()


def test_running_the_resolved_recipe_again_is_the_same_recipe(runs, recipe, tmp_path):
    osler_toy(recipe, "--out", tmp_path / "a", "seed=9")
    osler_toy(tmp_path / "a" / "recipe.yaml", "--out", tmp_path / "b")
    first, second = (read_json(tmp_path / name / "manifest.json") for name in "ab")
    assert first["recipe_sha256"] == second["recipe_sha256"]


def test_a_run_that_breaks_has_no_manifest_and_goes_on(runs, recipe, tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError):
            osler_toy(recipe, "word=break", "--out", tmp_path / "out")
    assert len(runs) == 2
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_dry_run_prints_the_resolved_recipe_and_writes_nothing(runs, recipe, tmp_path, capsys):
    assert osler_toy(recipe, "--out", tmp_path / "out", "--dry-run") == 0
    assert yaml.safe_load(capsys.readouterr().out) == {"seed": 3, "word": "hello", "source": ""}
    assert not runs and not (tmp_path / "out").exists()


def test_a_dry_run_may_say_more_below_the_recipe(runs, recipe, capsys):
    def lines(config, log):
        yield f"one {config.word}"
        raise InputError("and then this")

    sys.modules["toy_command"].dry_run_lines = lines
    with pytest.raises(InputError, match="and then this"):
        osler_toy(recipe, "--dry-run")
    said = capsys.readouterr().out
    assert said.endswith("# one hello\n") and yaml.safe_load(said)["word"] == "hello"


def test_what_the_user_left_out_is_said(runs, recipe):
    with pytest.raises(InputError, match="no output folder; expected --out DIR"):
        osler_toy(recipe)
    with pytest.raises(InputError, match="Did you mean 'word'?"):
        osler_toy(recipe, "wrod=1", "--dry-run")


def test_a_missing_package_is_named(recipe, tmp_path, monkeypatch):
    folder = tmp_path / "needs"
    folder.mkdir()
    (folder / "needs_much.py").write_text("import no_such_package_here\n")
    monkeypatch.syspath_prepend(str(folder))
    with pytest.raises(InputError, match="needs the package 'no_such_package_here'"):
        osler_toy(recipe, "--dry-run", module="needs_much")


def test_the_manifest_names_no_machine_and_no_user(runs, recipe, tmp_path, monkeypatch):
    import platform

    monkeypatch.setattr(sys, "argv", ["osler", "toy"])
    osler_toy(recipe, "--out", tmp_path / "out")
    manifest = read_json(tmp_path / "out" / "manifest.json")
    assert platform.node() not in str(manifest["host"])
    assert set(manifest["host"]) == {"python", "platform", "cpu_count", "accelerator"}


def test_several_processes_are_refused_by_a_command_that_is_one_process_s_work(runs, recipe, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="2 processes were started.*without torchrun"):
        osler_toy(recipe, "--out", tmp_path / "out")
    assert runs == []


def test_another_rank_works_but_leaves_the_folder_to_the_first(runs, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_command_module, "_PARALLEL", {"toy_command"})
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert osler_toy(recipe, "--out", tmp_path / "out") == 0
    assert runs == [("hello", "cpu", True)]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["word.txt"]
    write_text(tmp_path / "out" / "manifest.json", "{}")
    assert osler_toy(recipe, "--out", tmp_path / "out") == 0
    assert len(runs) == 1


def test_keys_that_do_not_change_the_result_may_change(runs, recipe, tmp_path):
    sys.modules["toy_command"].SAME_RESULT = ("seed",)
    assert osler_toy(recipe, "--out", tmp_path / "out") == 0
    assert yaml.safe_load((tmp_path / "out" / "recipe.yaml").read_text()) == {"word": "hello", "source": ""}
    assert osler_toy(recipe, "seed=8", "--out", tmp_path / "out") == 0
    assert len(runs) == 1


def test_a_folder_whose_work_is_not_done_gets_no_manifest(runs, recipe, tmp_path, capsys):
    toy = sys.modules["toy_command"]
    toy.shares_folder = lambda config: config.seed == 4
    done = toy.run
    toy.run = lambda config, out, *, device, log: Outcome("others have yet to end", is_finished=False)
    assert osler_toy(recipe, "seed=4", "--out", tmp_path / "out") == 0
    assert capsys.readouterr().err == "others have yet to end\n"
    assert not (tmp_path / "out" / "manifest.json").exists()
    toy.run = done
    assert osler_toy(recipe, "seed=4", "--out", tmp_path / "out") == 0
    first = (tmp_path / "out" / "manifest.json").read_bytes()
    assert osler_toy(recipe, "seed=4", "--out", tmp_path / "out") == 0
    assert (tmp_path / "out" / "manifest.json").read_bytes() == first
