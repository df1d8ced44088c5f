"""Conditions: an item as it is asked with its own images, without them, or with another item's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from osler.core.files import sha256_json
from osler.core.rng import generator
from osler.evaluation.items import Item
from osler.evaluation.option_orders import turned
from osler.evaluation.shots import Shot
from osler.infer.sampling import Sampling
from osler.schema.media import MediaRef
from osler.schema.prediction import Condition
from osler.schema.sample import Image, Turn, without_images


@dataclass(frozen=True, eq=False)
class Ask:
    """One question under one condition.

    turns: what is said, exemplars first. shown: the item whose images are shown, None for none.
    shots: the exemplars whose images are shown; none where the images are withheld.
    """

    item: Item
    condition: Condition
    turns: tuple[Turn, ...]
    shown: Item | None
    sampling: Sampling
    reasoning: bool
    shots: tuple[Shot, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells asks apart: condition, task, item."""
        return (self.condition, self.item.task, self.item.id)

    @property
    def image_sha256s(self) -> tuple[str, ...]:
        """The hashes of the images shown, the exemplars' first."""
        return tuple(digest for source in self.pictured for digest in source.image_sha256s)

    @property
    def pictured(self) -> tuple[Item | Shot, ...]:
        """Whose images are shown, in order."""
        return (*self.shots, self.shown) if self.shown else self.shots

    @cached_property
    def prompt_sha256(self) -> str:
        """The hash of the words, the places and windows of the images, and the settings of the decode."""
        turns = [[turn.role, [_prompt_part(part) for part in turn.parts], turn.reasoning] for turn in self.turns]
        settings = [self.sampling.max_new_tokens, self.sampling.temperature, self.sampling.seed, self.reasoning]
        return sha256_json({"turns": turns, "settings": settings})


def make_asks(
    items: Sequence[Item],
    condition: Condition,
    *,
    sampling: Sampling,
    reasoning: bool,
    seed: int,
    shots: Mapping[str, tuple[Shot, ...]] = MappingProxyType({}),
) -> list[Ask]:
    """The items under `condition`, in their order. An item to which the condition cannot apply is left out.

    `orderN` turns options by N letters; it leaves out what has no more than N options or does not list them by letter.
    Where no item has an image, `blind` and `shuffled` ask nothing. `shuffled` leaves out an item when every item
    with as many images belongs to its own cluster. `shots` are an item's exemplars, by its id: `blind` shows only
    their words, `shuffled` leaves them as they are.
    """

    def ask(item: Item, turns: tuple[Turn, ...], shown: Item | None) -> Ask:
        own = shots.get(item.id, ())
        spoken = tuple(turn for shot in own for turn in shot.turns)
        if condition == "blind":
            return Ask(item, condition, (*without_images(spoken), *turns), None, sampling, reasoning)
        return Ask(item, condition, (*spoken, *turns), shown, sampling, reasoning, own)

    if condition == "image" or condition.startswith("order"):
        places = int(condition.removeprefix("order")) if condition != "image" else 0
        shown = [turned(item, places) if places else item for item in items]
        return [ask(item, item.turns, item if item.image_sha256s else None) for item in shown if item]
    if not any(item.image_sha256s for item in items):
        return []
    if condition == "blind":
        return [ask(item, without_images(item.turns), None) for item in items]
    donors = shuffled_donors(items, seed)
    return [
        ask(item, with_images(item.turns, donor.sample.media), donor)
        for item, donor in zip(items, donors, strict=True)
        if donor is not None
    ]


def shuffled_donors(items: Sequence[Item], seed: int) -> list[Item | None]:
    """For each item the item whose images it is shown: of another cluster, with as many images.

    A derangement wherever no cluster holds more than half of the items: items lie cluster by cluster in random
    order on a ring, and each looks as far along it as the largest cluster is long. Otherwise a donor may serve
    several items; None where there is none at all. An item without images is its own donor.
    """
    donors: list[Item | None] = [None] * len(items)
    for num_images in sorted({len(item.image_sha256s) for item in items}):
        pool = [n for n, item in enumerate(items) if len(item.image_sha256s) == num_images]
        random = generator(seed, "shuffled", items[0].task, num_images)
        for position, donor in _pair(items, pool, random) if num_images else zip(pool, pool, strict=True):
            donors[position] = items[donor]
    return donors


def with_images(turns: Sequence[Turn], media: Sequence[MediaRef]) -> tuple[Turn, ...]:
    """The turns with their images exchanged, in order, for `media` of the same number."""
    others = iter(media)
    return tuple(
        turn.model_copy(
            update={"parts": tuple(Image(media=next(others)) if isinstance(p, Image) else p for p in turn.parts)}
        )
        for turn in turns
    )


def _pair(items: Sequence[Item], pool: Sequence[int], random: np.random.Generator) -> list[tuple[int, int]]:
    """(item, donor) positions; see `shuffled_donors`."""
    clusters: dict[str, list[int]] = {}
    for position in pool:
        clusters.setdefault(items[position].cluster, []).append(position)
    names = list(clusters)
    blocks = [list(random.permutation(clusters[names[n]])) for n in random.permutation(len(names))]
    ring = [int(position) for block in blocks for position in block]
    step = max(len(block) for block in blocks)
    if 2 * step <= len(ring):
        return [(position, ring[(place + step) % len(ring)]) for place, position in enumerate(ring)]
    pairs = []
    for position in pool:
        others = [other for other in pool if items[other].cluster != items[position].cluster]
        if others:
            pairs.append((position, others[int(random.integers(len(others)))]))
    return pairs


def _prompt_part(part: object) -> object:
    if isinstance(part, Image):
        window = part.media.window
        return {"image": None if window is None else [window.center, window.width]}
    return getattr(part, "text", "")
