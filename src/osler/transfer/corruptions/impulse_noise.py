"""Impulse noise: some pixels turn black or white."""

import numpy as np

from osler.transfer.corruption import Corruption


def impulse_noise(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Turn a share of the pixels, half of them black and half white."""
    drawn = rng.random(pixels.shape[:2], dtype=np.float32)[:, :, None]
    return np.where(drawn < strength / 2, 0.0, np.where(drawn < strength, 1.0, pixels)).astype(np.float32)


CORRUPTION = Corruption(
    apply=impulse_noise,
    strengths=(0.01, 0.03, 0.06, 0.12, 0.20),
    unit="share of the pixels",
    kind="common",
)
