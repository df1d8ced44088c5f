"""Splits: train, validation and test of an image set under one seed. A group is never cut."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.transfer.image_set import ImageSet


@dataclass(frozen=True)
class Split:
    """Item positions of each part, sorted."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_set(
    image_set: ImageSet,
    seed: int,
    *,
    validation_share: float,
    test_share: float,
    copies: Sequence[tuple[int, int]] = (),
) -> Split:
    """The parts under `seed`: published ones where there are any, the others cut whole group by whole group.

    Args:
        image_set: the set.
        seed: of what is cut here.
        validation_share: of the training part.
        test_share: of the set, where it has no published test split.
        copies: pairs of items that show one picture; where the test part is cut here, they stay together.

    Raises:
        InputError: too few groups to cut.
    """
    table = _label_table(image_set)
    published = np.asarray([item.split for item in image_set.items])
    groups = joined_groups(image_set, copies)
    every = np.arange(len(image_set.items))
    if image_set.has("test"):
        train, test = every[published == "train"], every[published == "test"]
    else:
        train, test = _cut(every, groups, table, test_share, seed=seed, name=f"{image_set.name} test")
    if image_set.has("validation"):
        validation = every[published == "validation"]
    else:
        train, validation = _cut(train, groups, table, validation_share, seed=seed, name=f"{image_set.name} validation")
    return Split(train, validation, test)


def _label_table(image_set: ImageSet) -> np.ndarray:
    """Which labels each item has, [n, classes]; an item without any counts as one of an added class."""
    targets = image_set.targets()
    if targets.ndim == 1:
        table: np.ndarray = np.eye(len(image_set.classes))[targets]
        return table
    table = targets.astype(float)
    return np.concatenate([table, (table.sum(axis=1, keepdims=True) == 0)], axis=1)


def joined_groups(image_set: ImageSet, copies: Sequence[tuple[int, int]]) -> np.ndarray:
    """The number of each item's group, where groups that share a picture are one."""
    numbers: dict[str, int] = {}
    own = [numbers.setdefault(item.group or item.id, len(numbers)) for item in image_set.items]
    parent = list(range(len(numbers)))

    def top(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for first, second in copies:
        one, other = sorted((top(own[first]), top(own[second])))
        parent[other] = one
    return np.asarray([top(number) for number in own])


def _cut(
    items: np.ndarray, groups: np.ndarray, table: np.ndarray, share: float, *, seed: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """What stays and what is taken: groups in random order, each taken if it brings the classes nearer to `share`."""
    names, own = np.unique(groups[items], return_inverse=True)
    if len(names) < 2:
        raise InputError(
            f"cannot cut {name.split()[1]} images off set {name.split()[0]!r}",
            expected="at least two groups (patients, or images that stand alone)",
            got=str(len(names)),
        )
    counts = np.zeros((len(names), table.shape[1]))
    np.add.at(counts, own, table[items])
    wanted = counts.sum(axis=0) * share
    # A class of few images still gives one to either part, where it has two groups.
    wanted = np.where((counts > 0).sum(axis=0) > 1, np.maximum(wanted, 1), wanted)
    taken = np.zeros(len(names), dtype=bool)
    have = np.zeros(table.shape[1])
    weight = 1 / np.maximum(counts.sum(axis=0), 1)
    for place in generator(seed, "split", name).permutation(len(names)):
        after = have + counts[place]
        if (np.abs(wanted - after) * weight).sum() < (np.abs(wanted - have) * weight).sum():
            taken[place], have = True, after
    if not taken.any():
        taken[int(np.argmin(counts.sum(axis=1)))] = True
    is_taken = taken[own]
    return items[~is_taken], items[is_taken]
