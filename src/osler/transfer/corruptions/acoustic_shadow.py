"""Acoustic shadow: dark bands below something that lets no sound pass, as under a stone or rib in ultrasound."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import centred

_HALF_WIDTH = 0.07
_EDGE = 0.02


def acoustic_shadow(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Darken two bands that widen with depth."""
    shade = np.zeros(pixels.shape[:2], dtype=np.float32)
    for _ in range(2):
        dx, dy = centred(pixels, x=float(rng.uniform(0.2, 0.8)), y=float(rng.uniform(0.1, 0.4)))
        beside = np.abs(dx) - _HALF_WIDTH * (1 + 0.8 * np.maximum(dy, 0))
        cover = np.clip(0.5 - beside / _EDGE, 0, 1) * np.clip(dy / _EDGE, 0, 1)
        shade = np.maximum(shade, cover.astype(np.float32))
    return pixels * (1 - np.float32(strength) * shade)[:, :, None]


CORRUPTION = Corruption(
    apply=acoustic_shadow,
    strengths=(0.25, 0.4, 0.57, 0.75, 0.92),
    unit="share of the brightness that is lost",
    kind="medical",
    modalities=("ultrasound",),
)
