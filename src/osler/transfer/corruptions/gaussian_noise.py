"""Gaussian noise: each pixel and channel gets its own normal error."""

import numpy as np

from osler.transfer.corruption import Corruption


def gaussian_noise(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Add noise of deviation `strength`."""
    return pixels + rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(strength)


CORRUPTION = Corruption(
    apply=gaussian_noise,
    strengths=(0.03, 0.06, 0.10, 0.15, 0.22),
    unit="standard deviation, of the range from black to white",
    kind="common",
)
