import sys
from pathlib import Path

import pytest

from osler.core.errors import InputError
from osler.core.settings import Settings
from osler.curate.executor import Executor, ExecutorConfig, make_executor, work_on

ALONE = Settings(Path(), offline=True)


def test_a_rank_is_said_by_the_recipe_or_by_slurm():
    said = make_executor(ExecutorConfig(kind="rank", rank=1, world=3), 2, ALONE)
    assert (said.rank, said.world, said.num_workers) == (1, 3, 2)
    array = Settings(Path(), offline=True, slurm=(4, 9))
    assert make_executor(ExecutorConfig(kind="rank"), 1, array) == Executor("rank", 1, 4, 9)
    assert make_executor(ExecutorConfig(), 1, array) == Executor("local", 1, 0, 1)


def test_no_rank_at_all_is_refused():
    with pytest.raises(InputError, match="nothing says which rank.*executor.rank=0 executor.world=4"):
        make_executor(ExecutorConfig(kind="rank"), 1, ALONE)
    with pytest.raises(InputError, match="rank 3 of 2.*--array=0-9"):
        make_executor(ExecutorConfig(kind="rank"), 1, Settings(Path(), offline=True, slurm=(3, 2)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "rank", "rank": 0}, "give rank and world"),
        ({"kind": "rank", "rank": 2, "world": 2}, "rank 2 of 2; ranks begin at 0"),
        ({"rank": 1, "world": 2}, "rank is for kind 'rank'"),
        ({"kind": "rank", "address": "auto"}, "address is for kind 'ray'"),
        ({"num_cpus": 2}, "num_cpus is for kind 'ray'"),
        ({"kind": "slurm"}, "kind"),
    ],
)
def test_what_does_not_fit_is_refused(fields, message):
    with pytest.raises(InputError, match=message):
        ExecutorConfig.parse(fields, "recipe")


def test_a_resolved_section_is_a_section():
    config = ExecutorConfig(kind="rank", rank=1, world=2)
    assert ExecutorConfig.parse(config.model_dump(mode="json"), "recipe") == config


def test_jobs_are_taken_a_few_ahead():
    taken = []

    def jobs():
        for number in range(50):
            taken.append(number)
            yield number

    work = work_on(Executor(num_workers=2), str, jobs())
    assert next(work) == "0" and len(taken) <= 5
    assert list(work) == [str(number) for number in range(1, 50)]


def test_ray_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"needs the package ray.*osler\[ray\]"):
        list(work_on(Executor("ray"), str, [1]))
