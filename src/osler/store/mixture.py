"""Mixture: which source and which of its rows comes at each position of a run; no state but the position."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from osler.core.errors import InputError
from osler.core.rng import generator
from osler.store.order import epoch_order, windowed_order


@dataclass(frozen=True, eq=False)
class Source:
    """Rows to draw from, and how often.

    weight: share relative to the other sources' weights; an int is exact, a float is read as written.
    shard_of_row: shape [num_rows]; where given, each epoch is a windowed order over `window_shards` shards.
    """

    num_rows: int
    weight: float | int
    shard_of_row: np.ndarray | None = None
    window_shards: int = 8


@dataclass(frozen=True)
class Draw:
    """Row number `row` of `source`, in that source's own epoch `epoch`."""

    source: str
    row: int
    epoch: int


@dataclass(frozen=True)
class _Split:
    """A node of the tree: `share` of the draws go left, the rest right."""

    share: Fraction
    left: "_Split | str"
    right: "_Split | str"


@dataclass(eq=False)
class Mixture:
    """Sources interleaved by weight; a pure function of the seed and the position.

    The sources are the leaves of a balanced binary tree. Of the first n draws that reach a node, exactly
    floor(n * share) go left, so draw p of a node goes left where floor((p+1) * share) > floor(p * share), and it
    is draw floor(p * share) there, or p - floor(p * share) on the right. Over the first n draws of a run the count
    of a source thus differs from n * weight / total by less than the depth of the tree, ceil(log2(sources)), and
    over any window by less than twice that. With weights equal to row counts, one pass draws each row once.

    Draw number j of a source with r rows is place j % r of its own epoch j // r, whose order is `epoch_order`
    or `windowed_order` under a seed of its own. So resuming at a position takes that position and nothing else.
    """

    sources: Mapping[str, Source]
    seed: int
    _tree: "_Split | str" = field(init=False, repr=False)
    _orders: dict[str, tuple[int, np.ndarray]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        if not self.sources:
            raise InputError("a mixture needs at least one source")
        for name, source in self.sources.items():
            if source.num_rows < 1:
                raise InputError(
                    f"source {name!r} of the mixture has no rows", fix="Leave it out or widen its selection."
                )
            if not source.weight > 0:
                raise InputError(f"weight of source {name!r} must be above 0", got=str(source.weight))
        self._tree = _tree({name: Fraction(str(source.weight)) for name, source in self.sources.items()})

    def draw(self, position: int) -> Draw:
        """What comes at `position`, from 0 on."""
        name, number = self._place(position)
        epoch, place = divmod(number, self.sources[name].num_rows)
        return Draw(name, int(self._order(name, epoch)[place]), epoch)

    def draws(self, start: int, count: int) -> list[Draw]:
        """What comes at positions `start` to `start + count - 1`."""
        return [self.draw(position) for position in range(start, start + count)]

    def epochs(self, position: int) -> dict[str, float]:
        """How many passes over each source lie before `position`."""
        return {name: count / self.sources[name].num_rows for name, count in self._counts(position).items()}

    def _place(self, position: int) -> tuple[str, int]:
        """The source at `position` and how many of its draws came before."""
        node = self._tree
        while isinstance(node, _Split):
            before = _floor(position, node.share)
            if _floor(position + 1, node.share) > before:
                node, position = node.left, before
            else:
                node, position = node.right, position - before
        return node, position

    def _counts(self, position: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        stack: list[tuple[_Split | str, int]] = [(self._tree, position)]
        while stack:
            node, n = stack.pop()
            if isinstance(node, _Split):
                left = _floor(n, node.share)
                stack += [(node.left, left), (node.right, n - left)]
            else:
                counts[node] = n
        return counts

    def _order(self, name: str, epoch: int) -> np.ndarray:
        held = self._orders.get(name)
        if held is None or held[0] != epoch:
            source = self.sources[name]
            seed = int(generator(self.seed, "mixture", name).integers(2**63))
            if source.shard_of_row is None:
                order = epoch_order(source.num_rows, seed=seed, epoch=epoch)
            else:
                order = windowed_order(source.shard_of_row, seed=seed, epoch=epoch, window_shards=source.window_shards)
            held = self._orders[name] = (epoch, order)
        return held[1]


def size_weights(num_rows: Mapping[str, int], *, exponent: float) -> dict[str, float]:
    """Weights proportional to num_rows ** exponent: 1 follows the sizes, 0 gives every source the same share."""
    powers = {name: float(n) ** exponent for name, n in num_rows.items()}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def _tree(weights: dict[str, Fraction]) -> "_Split | str":
    names = list(weights)
    if len(names) == 1:
        return names[0]
    half = len(names) // 2
    left, right = ({n: weights[n] for n in part} for part in (names[:half], names[half:]))
    total = sum(weights.values())
    return _Split(Fraction(sum(left.values()), total), _tree(left), _tree(right))


def _floor(n: int, share: Fraction) -> int:
    return n * share.numerator // share.denominator
