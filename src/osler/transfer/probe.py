"""Probe: what one file of `probes/` declares: how an encoder is asked to tell the classes of a set apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from osler.core.config import Config

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """What a probe says of the test items.

    probabilities: [n, classes], of each class; rows sum to 1, but of a multi-label set, where each is by itself.
    facts: what was chosen on validation, how many images were learned from, what could not be learned.
    """

    probabilities: np.ndarray
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Part:
    """Items of one part.

    features: float32 [n, D], of the frozen encoder. targets: int64 [n], or bool [n, classes]. rows: int64 [n], the
    places of the items in the set, for probes that read images.
    """

    features: np.ndarray
    targets: np.ndarray
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Draw:
    """One set, split under one seed, as one encoder sees it. `test.targets` is not for the probe to see: it is empty.

    tower: opens the encoder and the set's pixels, for probes that train it (`units.Tuned`).
    """

    set_name: str
    num_classes: int
    is_multi_label: bool
    seed: int
    train: Part
    validation: Part
    test: Part
    tower: Callable[[], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One probe.

    config: its options, a part of the protocol.
    run: from a draw and the checked options to answers by variant; "" is the name of the only one.
    reads: whether it needs the frozen features, or the images to train the encoder on.
    """

    config: type[Config]
    run: Callable[[Draw, Any], dict[str, Answers]]
    reads: Literal["features", "images"] = "features"


def spread(probabilities: np.ndarray, present: np.ndarray, num_classes: int) -> np.ndarray:
    """Probabilities of the classes that were `present` in training as those of all: 0 for one that was not."""
    table = np.zeros((len(probabilities), num_classes))
    table[:, present] = probabilities
    return table


def unlearned(draw: Draw, targets: np.ndarray) -> dict[str, Any]:
    """Which classes no training image has, by number; {} where every class has one."""
    table = targets if draw.is_multi_label else np.eye(draw.num_classes)[targets]
    counts = table.sum(axis=0)
    absent = np.flatnonzero(counts == 0).tolist()
    return {"classes_not_in_training": absent} if absent else {}
