from dataclasses import replace

import numpy as np
import pytest

from osler.core.errors import InputError
from osler.transfer.image_set import ImageSet, Item
from osler.transfer.splits import split_set

SHARES = {"validation_share": 0.2, "test_share": 0.3}


def drawn(n: int = 200, *, per_group: int = 1, splits=("",), classes: int = 3, rare: int = 0) -> ImageSet:
    items = tuple(
        Item(f"i{n}", f"g{n // per_group}", splits[n % len(splits)], (n // per_group % classes,), f"{n}", "", "")
        for n in range(n)
    )
    more = tuple(Item(f"r{n}", f"r{n}", "", (classes,), f"r{n}", "", "") for n in range(rare))
    names = tuple("abcdef"[: classes + (rare > 0)])
    return ImageSet("drawn", names, False, (*items, *more))


def test_parts_are_disjoint_cover_the_set_and_keep_groups_whole():
    image_set = drawn(per_group=4)
    split = split_set(image_set, 0, **SHARES)
    parts = [set(part.tolist()) for part in (split.train, split.validation, split.test)]
    assert sorted(set.union(*parts)) == list(range(200)) and sum(map(len, parts)) == 200
    groups = [{image_set.items[row].group for row in part} for part in parts]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])
    assert 50 <= len(split.test) <= 70 and 20 <= len(split.validation) <= 36


def test_classes_are_in_proportion_and_a_rare_one_is_in_every_part():
    image_set = drawn(rare=4)
    split = split_set(image_set, 1, **SHARES)
    targets = image_set.targets()
    counts = np.bincount(targets[split.test], minlength=4)
    assert counts[:3].max() - counts[:3].min() <= 3
    assert all((targets[part] == 3).any() for part in (split.train, split.validation, split.test))


def test_a_seed_gives_the_same_cut_and_another_a_different_one():
    image_set = drawn()
    first, again, other = (split_set(image_set, seed, **SHARES).test.tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_published_parts_stay_and_only_validation_is_carved_out_of_train():
    image_set = drawn(splits=("train", "train", "test"))
    splits = [split_set(image_set, seed, **SHARES) for seed in (0, 1)]
    assert splits[0].test.tolist() == splits[1].test.tolist() == list(range(2, 200, 3))
    assert splits[0].validation.tolist() != splits[1].validation.tolist()
    whole = split_set(drawn(splits=("train", "validation", "test")), 0, **SHARES)
    assert whole.validation.tolist() == list(range(1, 200, 3))


def test_copies_stay_together_where_the_cut_is_ours():
    image_set = drawn()
    copies = [(n, n + 1) for n in range(0, 40, 2)]
    split = split_set(image_set, 0, **SHARES, copies=copies)
    for first, second in copies:
        for part in (split.train, split.validation, split.test):
            assert (first in part) == (second in part)


def test_several_labels_an_image_are_cut_too():
    image_set = replace(drawn(), is_multi_label=True)
    items = tuple(replace(item, labels=(0, 1) if n % 2 else ()) for n, item in enumerate(image_set.items))
    split = split_set(replace(image_set, items=items), 0, **SHARES)
    assert len(split.test) and 0.4 < np.mean([bool(items[row].labels) for row in split.test]) < 0.6


def test_one_group_cannot_be_cut():
    with pytest.raises(InputError, match="cannot cut test images off set 'drawn'"):
        split_set(drawn(per_group=200), 0, **SHARES)
