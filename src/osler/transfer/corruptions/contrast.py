"""Contrast: values are drawn towards the picture's mean."""

import numpy as np

from osler.transfer.corruption import Corruption


def contrast(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Keep a share of each value's distance from the mean."""
    del rng
    mean = pixels.mean(dtype=np.float32)
    return mean + (pixels - mean) * np.float32(strength)


CORRUPTION = Corruption(
    apply=contrast,
    strengths=(0.75, 0.55, 0.38, 0.25, 0.15),
    unit="contrast kept",
    kind="common",
)
