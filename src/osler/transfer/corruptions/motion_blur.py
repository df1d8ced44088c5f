"""Motion blur: the picture moves along a straight line of random direction while it is taken."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import side, splat, spread

_POINTS = 64


def motion_blur(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Spread each point over a line one pixel plus `strength` long."""
    length = 1 + strength * side(pixels)
    turn = rng.uniform(0, np.pi)
    along = (np.arange(_POINTS) + 0.5) / _POINTS - 0.5
    return spread(pixels, splat(length * along[:, None] * np.array([[np.cos(turn), np.sin(turn)]])))


CORRUPTION = Corruption(
    apply=motion_blur,
    strengths=(0.012, 0.03, 0.05, 0.075, 0.105),
    unit="length of the line beyond one pixel, of the shorter side",
    kind="common",
)
