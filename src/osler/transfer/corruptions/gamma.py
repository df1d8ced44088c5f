"""Gamma: middle values become darker or brighter, black and white stay."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import signed


def gamma(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Raise to the power `strength`, or to its inverse."""
    return np.power(pixels, np.float32(strength ** signed(rng)))


CORRUPTION = Corruption(
    apply=gamma,
    strengths=(1.25, 1.6, 2.1, 2.8, 3.8),
    unit="exponent or its inverse",
    kind="common",
)
