"""What every task owes: its list of items, an adapter that can give them, a prompt, a cluster, metrics that measure."""

import re
from collections import Counter
from typing import get_args

import pytest

from osler.core.catalog import ADAPTERS, PROMPTS, TASKS
from osler.datasets.dataset import Dataset
from osler.evaluation.task import Cluster, Task
from osler.schema.sample import Answer
from osler.scoring.scorer import load_metric
from osler.store.index import SCHEMA

KINDS = get_args(Answer.model_fields["kind"].annotation)


@pytest.fixture(params=TASKS.names())
def task(request) -> Task:
    return TASKS.load(request.param)


@pytest.fixture
def dataset(task) -> Dataset:
    return ADAPTERS.load(task.dataset)


def test_is_called_like_its_file(request, task):
    assert task.name == request.node.callspec.params["task"]
    assert TASKS.summary(task.name).endswith(".")
    assert task.version


def test_names_and_versions_are_unique():
    named = Counter((task.name, task.version) for task in map(TASKS.load, TASKS.names()))
    assert max(named.values()) == 1


def test_every_kind_of_answer_is_measured(task):
    assert task.kinds and set(task.kinds) <= set(KINDS)
    measured = {kind for name in task.metrics for kind in load_metric(name).kinds}
    assert set(task.kinds) <= measured
    assert len(set(task.metrics)) == len(task.metrics)
    assert all(set(load_metric(name).kinds) & set(task.kinds) for name in task.metrics), "a metric that fits no answer"


def test_the_list_of_items_is_counted_or_says_why_not(task):
    assert task.items.count is None or task.items.count > 0
    assert task.items.count is not None or task.items.note
    hash_ = task.items.ids_sha256
    assert hash_ is None or (re.fullmatch("[0-9a-f]{64}", hash_) and task.items.count)


def test_the_adapter_publishes_the_split_and_no_more_items_than_it_has(task, dataset):
    assert task.split in dataset.splits
    published = dataset.splits[task.split]
    assert published is None or task.items.count is None or task.items.count <= published
    assert dataset.source_url or task.dataset == "phantom"


def test_the_cluster_is_the_image_or_what_the_adapter_groups_by(task, dataset):
    assert task.cluster in get_args(Cluster)
    assert task.cluster == "image" or task.cluster == (dataset.group_unit or "patient")


def test_the_prompt_is_for_kinds_that_are_asked(task):
    assert task.prompt in PROMPTS.names()
    if task.dataset == "phantom":
        assert not task.suffix and task.cluster == "patient"


def test_exemplars_come_from_another_split_than_the_test(task, dataset):
    if task.num_shots:
        assert {"train", "validation"} & set(dataset.splits) - {task.split}


def test_settings_can_be(task):
    assert task.max_new_tokens >= 8
    assert not task.subgroup or task.subgroup in SCHEMA.names


def test_no_two_tasks_ask_the_same_in_the_same_words():
    asked = Counter(
        (t.dataset, t.split, t.tasks, t.tags, t.kinds, t.prompt, t.num_shots, t.items.count)
        for t in map(TASKS.load, TASKS.names())
    )
    assert [key for key, count in asked.items() if count > 1] == []
