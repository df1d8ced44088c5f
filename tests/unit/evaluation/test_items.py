"""Which questions a task asks."""

from dataclasses import replace

import pytest

from osler.core.catalog import TASKS
from osler.core.errors import InputError
from osler.evaluation.items import load_items
from osler.store.shards import Store

CLOSED = TASKS.load("phantom_closed")


def test_a_task_asks_its_own_questions_of_the_test_split(store):
    items = load_items(CLOSED, [store])
    assert len(items) == 32
    assert {item.sample.task for item in items} == {"phantom_closed"}
    assert all(item.id.startswith("test-") for item in items)
    assert {item.cluster for item in items} == {f"p{n}" for n in range(8)}


def test_clusters_may_be_images(store):
    items = load_items(replace(CLOSED, cluster="image"), [store])
    assert len({item.cluster for item in items}) == 16


def test_a_suffix_states_the_form_and_can_be_left_out(store):
    task = replace(CLOSED, suffix={"closed": "Answer yes or no."})
    asked = load_items(task, [store], limit=3)
    assert [item.turns[-1].text for item in asked] == [f"{item.sample.question}\nAnswer yes or no." for item in asked]
    assert load_items(task, [store], limit=1, suffixes=False)[0].turns == asked[0].sample.turns


def test_limit_counts_over_all_stores(store, tmp_path, make_store):
    other = Store(make_store(tmp_path / "other"))
    assert len(load_items(CLOSED, [store], limit=5)) == 5
    with pytest.raises(InputError, match="two samples of task 'phantom_closed' have the id 'test-0-0-q0'"):
        load_items(CLOSED, [store, other])


def test_a_task_without_samples_says_what_is_there(store):
    with pytest.raises(InputError, match=r"expected vqa_rad/test .*got phantom/test \(phantom_choice, choice\)"):
        load_items(TASKS.load("vqa_rad"), [store])


def test_a_missing_split_is_no_sample(tmp_path, make_store):
    only_train = Store(make_store(tmp_path / "train", splits=("train",)))
    with pytest.raises(InputError, match="no sample for task 'phantom_closed'"):
        load_items(CLOSED, [only_train])
