"""What every task owes: a name, a version, metrics that can measure each kind of answer it asks for."""

from typing import get_args

import pytest

from osler.core.catalog import TASKS
from osler.evaluation.task import Task
from osler.schema.sample import Answer
from osler.scoring.scorer import load_metric
from osler.store.index import SCHEMA

KINDS = get_args(Answer.model_fields["kind"].annotation)


@pytest.fixture(params=TASKS.names())
def task(request) -> Task:
    return TASKS.load(request.param)


def test_is_called_like_its_file(request, task):
    assert task.name == request.node.callspec.params["task"]
    assert TASKS.summary(task.name).endswith(".")
    assert task.version


def test_every_kind_of_answer_is_measured(task):
    assert task.kinds and set(task.kinds) <= set(KINDS)
    measured = {kind for name in task.metrics for kind in load_metric(name).kinds}
    assert set(task.kinds) <= measured
    assert len(set(task.metrics)) == len(task.metrics)


def test_suffixes_are_for_kinds_that_are_asked(task):
    assert set(task.suffix) <= set(task.kinds)
    if task.dataset == "phantom":
        assert not task.suffix and task.cluster == "group"


def test_settings_can_be(task):
    assert task.max_new_tokens >= 8
    assert not task.subgroup or task.subgroup in SCHEMA.names
