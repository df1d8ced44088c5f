"""kNN probe: the classes of the k nearest images of train and validation, by cosine, nearer ones weighing more.

A neighbour of cosine s has the weight exp(s / temperature) (Wu et al. 2018, arXiv:1805.01978). Features are brought to
mean 0 and deviation 1 first. Nothing is chosen on validation, so it is learned from.
"""

from typing import Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.transfer.probe import Answers, Draw, Probe, unlearned

_BLOCK = 1024


class KnnConfig(Config):
    """k: how many neighbours; all where there are fewer. temperature: of their weights. standardise: see above."""

    version: Literal[1] = 1
    k: PositiveInt = 10
    temperature: PositiveFloat = 0.07
    standardise: bool = True


def probe(draw: Draw, options: KnnConfig) -> dict[str, Answers]:
    """Probabilities of the test items: the weights' shares."""
    known = np.concatenate([draw.train.features, draw.validation.features]).astype(np.float64)
    targets = np.concatenate([draw.train.targets, draw.validation.targets])
    table = targets.astype(float) if draw.is_multi_label else np.eye(draw.num_classes)[targets]
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    if not options.standardise:
        mean, deviation = np.zeros_like(mean), np.ones_like(deviation)
    deviation[deviation == 0] = 1.0
    known = _unit((known - mean) / deviation)
    asked = _unit((draw.test.features.astype(np.float64) - mean) / deviation)
    k = min(options.k, len(known))
    parts = [
        _votes(asked[start : start + _BLOCK] @ known.T, table, k, options.temperature)
        for start in range(0, len(asked), _BLOCK)
    ]
    shares = np.concatenate(parts) if parts else np.zeros((0, draw.num_classes))
    return {"": Answers(shares, {"k": k, **unlearned(draw, targets)})}


def _votes(cosines: np.ndarray, table: np.ndarray, k: int, temperature: float) -> np.ndarray:
    """Shares of the classes; of equally near ones the earlier image is taken."""
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    near = np.take_along_axis(cosines, nearest, axis=1)
    weights = np.exp((near - near[:, :1]) / temperature)
    weights /= weights.sum(axis=1, keepdims=True)
    votes: np.ndarray = np.einsum("nk,nkc->nc", weights, table[nearest])
    return np.minimum(votes, 1.0)


def _unit(table: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(table, axis=1, keepdims=True)
    unit: np.ndarray = table / np.where(length == 0, 1.0, length)
    return unit


PROBE = Probe(config=KnnConfig, run=probe)
