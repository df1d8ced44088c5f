"""Brightness: every value is shifted, up or down."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import signed


def brightness(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Add or take away `strength`."""
    return pixels + np.float32(signed(rng) * strength)


CORRUPTION = Corruption(
    apply=brightness,
    strengths=(0.06, 0.12, 0.20, 0.30, 0.42),
    unit="shift, of the range from black to white",
    kind="common",
)
