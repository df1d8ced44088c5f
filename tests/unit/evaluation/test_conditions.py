"""Blind withholds the image; shuffled shows one of another cluster."""

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from osler.core.catalog import TASKS
from osler.evaluation.conditions import make_asks, shuffled_donors
from osler.evaluation.items import Item, load_items
from osler.infer.sampling import Sampling
from osler.schema.sample import Sample, closed, image, user

SETTINGS = {"sampling": Sampling(16), "reasoning": False, "seed": 3}


def made(number: int, cluster: str, num_images: int) -> Item:
    refs = [image(f"{number}-{n}.png") for n in range(num_images)]
    sample = Sample(id=str(number), turns=(user(*refs, "Wide?"),), answer=closed("yes"))
    row = {"media_sha256": [f"{number}-{n}" for n in range(num_images)]}
    return Item(task="t", sample=sample, turns=sample.turns, cluster=cluster, subgroup="", store=0, row=row)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=40), st.integers(0, 99))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_donors_are_of_other_clusters_with_as_many_images(drawn, seed):
    items = [made(n, f"c{cluster}", num_images) for n, (cluster, num_images) in enumerate(drawn)]
    for item, donor in zip(items, shuffled_donors(items, seed), strict=True):
        if not item.image_sha256s:
            assert donor is item
        elif donor is None:
            same = [i for i in items if len(i.image_sha256s) == len(item.image_sha256s)]
            assert {i.cluster for i in same} == {item.cluster}
        else:
            assert donor.cluster != item.cluster
            assert len(donor.image_sha256s) == len(item.image_sha256s)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(0, 99))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_each_item_gives_its_images_once_unless_one_cluster_is_over_half(drawn, seed):
    items = [made(n, f"c{cluster}", 1) for n, cluster in enumerate(drawn)]
    donors = shuffled_donors(items, seed)
    if 2 * max(Counter(drawn).values()) <= len(drawn):
        assert sorted(donor.id for donor in donors) == sorted(item.id for item in items)


def test_the_shuffle_depends_on_the_seed_only(store):
    items = load_items(TASKS.load("phantom_closed"), [store])
    first = [donor.id for donor in shuffled_donors(items, 1)]
    assert first == [donor.id for donor in shuffled_donors(items, 1)]
    assert first != [donor.id for donor in shuffled_donors(items, 2)]


def test_conditions_change_images_and_nothing_else(store):
    items = load_items(TASKS.load("phantom_closed"), [store])
    own, blind, shuffled = (make_asks(items, c, **SETTINGS) for c in ("image", "blind", "shuffled"))
    for a, b, c in zip(own, blind, shuffled, strict=True):
        assert a.turns[-1].text == b.turns[-1].text == c.turns[-1].text
        assert a.image_sha256s == a.item.image_sha256s
        assert b.turns[-1].media == () and b.image_sha256s == ()
        assert c.turns[-1].media == c.shown.sample.media != a.turns[-1].media
        assert a.prompt_sha256 == c.prompt_sha256 != b.prompt_sha256


def test_the_prompt_hash_covers_words_and_settings(store):
    (item,) = load_items(TASKS.load("phantom_closed"), [store], limit=1)
    (ask,) = make_asks([item], "image", **SETTINGS)
    longer = replace(ask, sampling=Sampling(17))
    other = replace(ask, turns=(user(item.sample.media[0], "Is the heart small?"),))
    windowed = replace(ask, turns=(user(image("a.png", window={"center": 5, "width": 9}), item.sample.question),))
    assert len({a.prompt_sha256 for a in (ask, longer, other, windowed, replace(ask, reasoning=True))}) == 5


def test_text_only_questions_are_asked_once():
    items = [made(n, f"c{n}", 0) for n in range(3)]
    assert len(make_asks(items, "image", **SETTINGS)) == 3
    assert make_asks(items, "blind", **SETTINGS) == make_asks(items, "shuffled", **SETTINGS) == []


def test_items_without_a_partner_are_left_out():
    items = [made(0, "a", 1), made(1, "b", 1), made(2, "a", 2)]
    assert [ask.item.id for ask in make_asks(items, "shuffled", **SETTINGS)] == ["0", "1"]
