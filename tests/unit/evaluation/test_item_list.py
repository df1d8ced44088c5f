"""Whether the asked items are a task's own list."""

from dataclasses import replace

import pytest

from osler.core.catalog import TASKS
from osler.core.errors import InputError
from osler.evaluation.item_list import check_items, ids_sha256
from osler.evaluation.task import ItemList

IDS = ["a/test/2", "a/test/1", "a/test/3"]
TASK = replace(TASKS.load("phantom_closed"), items=ItemList(3, ids_sha256=ids_sha256(IDS)))


def test_the_hash_is_of_the_ids_whatever_their_order():
    assert ids_sha256(IDS) == ids_sha256(IDS[::-1]) != ids_sha256(IDS[:2])


def test_count_and_hash_verify_a_list():
    assert check_items(TASK, IDS[::-1], partial=False) == ("verified", "")


def test_a_list_without_a_hash_or_a_count_is_unverified_and_says_why():
    counted = replace(TASK, items=ItemList(3))
    assert check_items(counted, IDS, partial=False).stamp == "unverified"
    unknown = check_items(replace(TASK, items=ItemList(None, note="no list exists")), IDS, partial=False)
    assert unknown == ("unverified", "items: unverified, 3 asked; no list exists")


@pytest.mark.parametrize("ids", [IDS[:2], [*IDS, "a/test/4"], [*IDS[:2], "b/test/1"]])
def test_another_list_is_refused_or_marked(ids):
    with pytest.raises(InputError, match="expected 3 items with ids of SHA-256.*partial: true"):
        check_items(TASK, ids, partial=False)
    assert check_items(TASK, ids, partial=True).stamp == "partial"


def test_a_wrong_count_is_refused_where_the_hash_is_not_known():
    task = replace(TASK, items=ItemList(451, note="of osf.io"))
    with pytest.raises(InputError, match=r"3 of 451 items \(of osf.io\)"):
        check_items(task, IDS, partial=False)


def test_a_limit_makes_scores_partial_and_does_not_hide_a_wrong_list():
    assert check_items(TASK, IDS, partial=False, limit=2) == (
        "partial",
        "items: partial, 2 of 3 were asked by the recipe's limit",
    )
    assert check_items(TASK, IDS[:2], partial=True, limit=1).note.endswith("limit; 2 of 3 items")
    assert check_items(TASK, IDS, partial=False, limit=3).stamp == "verified"
    with pytest.raises(InputError, match="2 of 3 items"):
        check_items(TASK, IDS[:2], partial=False, limit=1)
