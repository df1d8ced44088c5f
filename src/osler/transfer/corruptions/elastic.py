"""Elastic deformation: the picture is pulled smoothly in random directions."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import moved, side, smooth_noise

_CELLS = 8


def elastic(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Read each pixel up to `strength` away from its place."""
    reach = np.float32(strength * side(pixels))
    dx, dy = (smooth_noise(pixels, rng, cells=_CELLS) * reach for _ in range(2))
    return moved(pixels, dx, dy)


CORRUPTION = Corruption(
    apply=elastic,
    strengths=(0.012, 0.022, 0.035, 0.05, 0.07),
    unit="largest displacement, of the shorter side",
    kind="common",
)
