"""Pixelation: the picture is made smaller and shown in blocks."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import resized


def pixelate(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Reduce to a share of the size by area, and enlarge again without smoothing."""
    del rng
    height, width = pixels.shape[:2]
    small = resized(pixels, max(1, round(strength * height)), max(1, round(strength * width)), how="area")
    return resized(small, height, width, how="nearest")


CORRUPTION = Corruption(
    apply=pixelate,
    strengths=(0.5, 0.34, 0.24, 0.17, 0.12),
    unit="size kept, of each side",
    kind="common",
)
