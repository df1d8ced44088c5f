"""Clusters: which items hang together, and sums over them."""

from collections.abc import Hashable, Sequence

import numpy as np

from osler.core.errors import InputError


class Clusters:
    """Items by cluster. `codes` [n] numbers each item's cluster, in order of first appearance; `count` is how many."""

    def __init__(self, names: Sequence[Hashable]) -> None:
        numbers: dict[Hashable, int] = {}
        self.codes = np.fromiter((numbers.setdefault(name, len(numbers)) for name in names), np.intp, len(names))
        self.count = len(numbers)

    @property
    def all_alone(self) -> bool:
        """Whether every item is a cluster of its own."""
        return self.count == len(self.codes)

    @property
    def largest(self) -> int:
        """The number of items of the largest cluster."""
        return int(np.bincount(self.codes, minlength=1).max())

    def sums(self, table: np.ndarray) -> np.ndarray:
        """Sums of the rows of `table` [n, K] over each cluster: [count, K]. Raises InputError for another n."""
        if len(table) != len(self.codes):
            raise InputError(
                "every score needs its cluster", expected=f"{len(table)} clusters", got=str(len(self.codes))
            )
        columns = [np.bincount(self.codes, weights=column, minlength=self.count) for column in table.T]
        return np.stack(columns, axis=1) if columns else np.zeros((self.count, 0))

    def members(self) -> list[np.ndarray]:
        """The item positions of each cluster."""
        order = np.argsort(self.codes, kind="stable")
        return np.split(order, np.cumsum(np.bincount(self.codes, minlength=self.count))[:-1])
