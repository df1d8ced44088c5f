"""Shot noise: each pixel counts a Poisson number of photons, few of them at high severities."""

import numpy as np

from osler.transfer.corruption import Corruption


def shot_noise(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Count at most `strength` photons a pixel on average."""
    return (rng.poisson(pixels * strength) / strength).astype(np.float32)


CORRUPTION = Corruption(
    apply=shot_noise,
    strengths=(120.0, 50.0, 22.0, 10.0, 5.0),
    unit="photons that make white",
    kind="common",
)
