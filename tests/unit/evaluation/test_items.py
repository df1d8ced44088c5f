"""Which questions a task asks."""

from dataclasses import replace

import pytest

from osler.core.catalog import TASKS
from osler.core.errors import InputError
from osler.evaluation.items import load_items, task_ids
from osler.schema.sample import Provenance, Sample, closed, user
from osler.store.record import stored_record
from osler.store.shards import Store, write_shard

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
    task = replace(CLOSED, prompt="yes_no_or_phrase")
    asked = load_items(task, [store], limit=3)
    assert [item.turns[-1].text for item in asked] == [f"{item.sample.question}\nAnswer yes or no." for item in asked]
    assert load_items(task, [store], limit=1, suffixes=False)[0].turns == asked[0].sample.turns


def test_tags_choose_among_the_samples(tmp_path):
    samples = [
        Sample(
            id=f"q{n}",
            turns=(user(f"Question {n}?"),),
            answer=closed("yes"),
            task="phantom_closed",
            tags=("even",) * (n % 2 == 0) + ("third",) * (n % 3 == 0),
            provenance=Provenance(dataset="phantom", record_id=str(n), licence="CC0-1.0"),
        )
        for n in range(12)
    ]
    records = [stored_record(f"r{n}", samples[4 * n : 4 * n + 4], {}) for n in range(3)]
    write_shard(tmp_path, "test", 0, records=records, estimate=lambda sample: (8, 0))
    stores = [Store(tmp_path)]
    assert task_ids(replace(CLOSED, tags=("even", "third")), stores) == ["q0", "q6"]
    assert [item.id for item in load_items(replace(CLOSED, tags=("third",)), stores, limit=2)] == ["q0", "q3"]
    with pytest.raises(InputError, match=r"phantom/test \(phantom_closed, odd, closed\)"):
        load_items(replace(CLOSED, tags=("odd",)), stores)


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
