"""One recipe worked on by one process, by two, by three ranks and on Ray: every file has the same bytes."""

from pathlib import Path

import pytest
from drawn_set import draw_set, outputs, save, server

from osler.core.files import read_json

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("executors")
    save(folder / "recipe.yaml", draw_set(folder / "set", num_images=40))
    with server(folder) as started:
        assert started.run("recipe.yaml", "--out", "local1") == 0
    return folder


def test_the_reference_kept_and_dropped_something(folder):
    counts = read_json(folder / "local1" / "manifest.json")["counts"]
    assert counts["shards"] == 10 and counts["samples"] > 40 and counts["drops"] > 10
    assert not list(folder.glob("local1/.work"))


def test_two_processes(folder):
    with server(folder) as started:
        assert started.run("recipe.yaml", "num_workers=2", "--out", "local2") == 0
    assert outputs(folder / "local2") == outputs(folder / "local1")


def test_three_ranks_in_any_order(folder, capfd):
    with server(folder) as started:
        ranks = [("executor.kind=rank", f"executor.rank={rank}", "executor.world=3") for rank in (2, 0, 1)]
        for rank in ranks:
            assert not (folder / "ranks" / "manifest.json").exists()
            assert started.run("recipe.yaml", *rank, "--out", "ranks") == 0
        said = capfd.readouterr().err
        assert "rank 2 of 3: its 3 shards are finished, 7 of other ranks are not (train-00000, " in said
        assert started.run("recipe.yaml", *ranks[0], "--out", "ranks") == 0
        assert "already finished" in capfd.readouterr().err
    assert outputs(folder / "ranks") == outputs(folder / "local1")
    assert not list(folder.glob("ranks/.[pw]*"))


def test_a_job_array_says_which_rank_this_is(folder):
    for task in (5, 7, 9):
        array = {"ID": str(task), "COUNT": "3", "MIN": "5", "STEP": "2"}
        with server(folder, **{f"SLURM_ARRAY_TASK_{name}": value for name, value in array.items()}) as started:
            assert started.run("recipe.yaml", "executor.kind=rank", "--out", "array") == 0
    assert outputs(folder / "array") == outputs(folder / "local1")


def test_ray(folder):
    pytest.importorskip("ray")
    with server(folder) as started:
        assert started.run("recipe.yaml", "num_workers=2", "executor.kind=ray", "--out", "ray") == 0
    assert outputs(folder / "ray") == outputs(folder / "local1")


def test_a_run_may_go_on_elsewhere(folder):
    """Ranks begin; the machine of the third is gone; one process ends what they left."""
    pytest.importorskip("ray")
    with server(folder) as started:
        for rank in (0, 1):
            more = ("executor.kind=rank", f"executor.rank={rank}", "executor.world=3")
            assert started.run("recipe.yaml", *more, "--out", "moved") == 0
        kept = folder / "moved" / "shards" / "train-00000.tar"
        before = kept.stat().st_mtime_ns
        assert started.run("recipe.yaml", "--out", "moved") == 0
    assert kept.stat().st_mtime_ns == before
    assert outputs(folder / "moved") == outputs(folder / "local1")
