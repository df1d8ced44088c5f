import subprocess
import sys

import pytest

from osler.cli.outfolder import Finished, Started, differences, open_folder, output_files, tree_sha256
from osler.core.errors import InputError
from osler.core.files import read_json, write_json

RECIPE = {"seed": 1, "train": {"lr": 0.1}}


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def enter(out, recipe=RECIPE, inputs=(), *, overwrite=False, finish=False):
    """Open the folder once; returns its state."""
    with open_folder(out, recipe, list(inputs), overwrite=overwrite) as state:
        if finish:
            (out / "result.txt").write_text("done")
            write_json(out / "manifest.json", {})
    return state


def test_a_new_folder_gets_its_recipe_and_start(out, source):
    state = enter(out, inputs=[source])
    assert isinstance(state, Started)
    assert (out / "recipe.yaml").read_text() == "seed: 1\ntrain:\n  lr: 0.1\n"
    assert read_json(out / "started.json") == vars(state)
    assert list(state.inputs) == [str(source)]


def test_a_cut_run_goes_on_with_its_first_start(out, source):
    first = enter(out, inputs=[source])
    (out / "part.txt").write_text("half")
    assert enter(out, inputs=[source]) == first
    assert (out / "part.txt").read_text() == "half"


def test_a_kill_between_start_and_recipe_is_mended(out):
    first = enter(out)
    (out / "recipe.yaml").unlink()
    assert enter(out) == first
    assert (out / "recipe.yaml").is_file()


def test_a_finished_folder_says_so(out):
    enter(out, finish=True)
    assert isinstance(enter(out), Finished)


@pytest.mark.parametrize("finish", [True, False])
def test_another_recipe_is_refused_with_the_keys_that_differ(out, finish):
    enter(out, finish=finish)
    with pytest.raises(InputError) as error:
        enter(out, {"seed": 1, "train": {"lr": 0.2}, "new": 3})
    assert "train.lr: 0.1 there, 0.2 here" in str(error.value)
    assert "new: None there, 3 here" in str(error.value)
    assert "--overwrite" in str(error.value)


@pytest.mark.parametrize("finish", [True, False])
def test_changed_inputs_are_refused(out, source, finish):
    enter(out, inputs=[source], finish=finish)
    (source / "a.txt").write_text("b")
    with pytest.raises(InputError, match=r"have changed since \(.*source\).*--overwrite"):
        enter(out, inputs=[source])


def test_overwrite_starts_again_and_leaves_nothing_of_before(out):
    enter(out, finish=True)
    (out / "deep" / "er").mkdir(parents=True)
    (out / "deep" / "er" / "x").write_text("x")
    state = enter(out, {"seed": 2}, overwrite=True)
    assert isinstance(state, Started)
    assert sorted(p.name for p in out.iterdir()) == [".lock", "recipe.yaml", "started.json"]


def test_a_kill_while_clearing_is_cleared_again(out):
    enter(out, finish=True)
    write_json(out / "started.json", {})
    assert isinstance(enter(out), Started)
    assert not (out / "result.txt").exists()


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_that_no_command_made_is_never_touched(tmp_path, overwrite):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match="no osler command wrote"):
        enter(mine, overwrite=overwrite)
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_fine_and_a_file_is_not(out, tmp_path):
    out.mkdir()
    assert isinstance(enter(out), Started)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="expected a folder; got a file"):
        enter(tmp_path / "file")


def test_an_input_inside_the_output_is_refused_before_anything_is_removed(out):
    enter(out, finish=True)
    with pytest.raises(InputError, match="which this run reads"):
        enter(out, inputs=[out / "result.txt"], overwrite=True)
    assert (out / "result.txt").is_file()


def test_a_missing_and_an_unfinished_input_are_refused(out, tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        enter(out, inputs=[tmp_path / "none"])
    cut = tmp_path / "cut"
    enter(cut)
    (cut / "model").mkdir()
    for path in (cut, cut / "model"):
        with pytest.raises(InputError, match="is not finished"):
            enter(out, inputs=[path])
    assert not out.exists()


HOLD = """
import sys, time
from pathlib import Path
from osler.cli.outfolder import open_folder
with open_folder(Path(sys.argv[1]), {recipe!r}, [], overwrite=False):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_runs_do_not_share_a_folder_and_a_killed_run_lets_go(out):
    code = HOLD.format(recipe=RECIPE)
    with subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout.readline() == "held\n"
            with pytest.raises(InputError, match="another run is writing"):
                enter(out)
        finally:
            other.kill()
    assert isinstance(enter(out), Started)


def test_the_hash_of_a_tree_sees_names_and_bytes_but_not_bookkeeping(source):
    before = tree_sha256(source)
    for name in ("started.json", "manifest.json", ".lock", ".a.txt.part"):
        (source / name).write_text("x")
    assert tree_sha256(source) == before
    (source / "a.txt").rename(source / "b.txt")
    assert tree_sha256(source) != before


def test_outputs_leave_checkpoints_and_hidden_files_out(source):
    (source / "checkpoints").mkdir()
    for name in ("checkpoints/step.bin", "manifest.json", ".lock", "recipe.yaml"):
        (source / name).write_text("x")
    assert [p.name for p in output_files(source)] == ["a.txt", "recipe.yaml"]


def test_differences_go_into_mappings():
    assert differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}) == [("a.c", 2, 3)]
    assert differences({"a": {"b": 1}}, {"a": 2}) == [("a", {"b": 1}, 2)]


def test_a_shared_folder_takes_several_of_one_recipe_and_no_other(out, source):
    def shared(recipe=RECIPE, *, overwrite=False):
        return open_folder(out, recipe, [source], overwrite=overwrite, shared=True)

    with shared() as first, shared() as second:
        assert isinstance(first, Started) and first == second
        with pytest.raises(InputError, match="another run is writing"):
            enter(out, inputs=[source])
        with pytest.raises(InputError, match="another recipe"), shared({"seed": 2}):
            pass
        with pytest.raises(InputError, match="shared with other ranks.*Remove the folder"), shared(overwrite=True):
            pass
        (source / "a.txt").write_text("b")
        with pytest.raises(InputError, match="inputs that have changed"), shared():
            pass
    assert sorted(path.name for path in out.iterdir()) == [".lock", "recipe.yaml", "started.json"]


def test_what_a_kill_at_the_start_left_is_removed(out):
    (out / ".part-1").mkdir(parents=True)
    (out / ".part-1" / "started.json").write_text("{")
    assert isinstance(enter(out), Started)
    assert not (out / ".part-1").exists()
