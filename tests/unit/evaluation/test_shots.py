"""Exemplars: under a seed, from train, never of the item's group and never with one of its images."""

from dataclasses import replace

import pytest

from osler.core.catalog import TASKS
from osler.core.errors import InputError
from osler.evaluation.conditions import make_asks
from osler.evaluation.items import load_items
from osler.evaluation.shots import draw_shots
from osler.infer.sampling import Sampling
from osler.store.shards import Store

CLOSED = replace(TASKS.load("phantom_closed"), num_shots=2, suffix={"closed": "Answer yes or no."})


def drawn(store, *, seed=0, **changes):
    task = replace(CLOSED, **changes)
    items = load_items(task, [store])
    return items, draw_shots(task, items, [store], seed=seed, suffixes=True)


def test_exemplars_are_answered_questions_of_train_under_the_seed(store):
    items, shots = drawn(store)
    assert set(shots) == {item.id for item in items}
    for item in items:
        first, second = shots[item.id]
        assert first.sample.id != second.sample.id and first.sample.id.startswith("train-")
        question, answer = first.turns
        assert question.text.endswith("\nAnswer yes or no.") and answer.text == first.sample.answer.text
    again, other = drawn(store)[1], drawn(store, seed=1)[1]
    ids = [[shot.sample.id for shot in own] for own in shots.values()]
    assert ids == [[shot.sample.id for shot in own] for own in again.values()]
    assert ids != [[shot.sample.id for shot in own] for own in other.values()]


def test_no_exemplar_is_of_the_items_group_or_shares_its_images(store):
    """The drawn patients of train and test bear the same names, and patient p's film in both splits is one file."""
    for seed in range(8):
        items, shots = drawn(store, seed=seed)
        for item in items:
            for shot in shots[item.id]:
                assert shot.sample.group != item.sample.group
                assert not set(shot.image_sha256s) & set(item.image_sha256s)


def test_none_are_drawn_where_none_are_wanted_and_too_few_are_an_error(store, tmp_path, make_store):
    assert drawn(store, num_shots=0)[1] == {}
    alone = Store(make_store(tmp_path / "alone", splits=("test",)))
    with pytest.raises(InputError, match="cannot be shown 2 exemplars.*got 0 in no split"):
        drawn(alone)
    one = Store(make_store(tmp_path / "one", num_patients=1))
    with pytest.raises(InputError, match="got 0 in train"):
        drawn(one)


def test_the_split_that_is_asked_gives_no_exemplars(store):
    task = replace(CLOSED, split="train")
    with pytest.raises(InputError, match="no split"):
        draw_shots(task, load_items(task, [store]), [store], seed=0, suffixes=True)


def test_exemplars_are_shown_as_earlier_turns_and_their_images_first(store):
    items, shots = drawn(store)
    settings = {"sampling": Sampling(16), "reasoning": False, "seed": 0, "shots": shots}
    plain = {"sampling": Sampling(16), "reasoning": False, "seed": 0}
    own, blind, shuffled = (make_asks(items, c, **settings)[0] for c in ("image", "blind", "shuffled"))
    assert [turn.role for turn in own.turns] == ["user", "assistant", "user", "assistant", "user"]
    first, second = shots[items[0].id]
    assert own.image_sha256s == (*first.image_sha256s, *second.image_sha256s, *items[0].image_sha256s)
    assert blind.image_sha256s == () and not any(turn.media for turn in blind.turns) and len(blind.turns) == 5
    assert shuffled.image_sha256s[:2] == own.image_sha256s[:2] and shuffled.image_sha256s[2] != own.image_sha256s[2]
    assert own.prompt_sha256 != make_asks(items, "image", **plain)[0].prompt_sha256
