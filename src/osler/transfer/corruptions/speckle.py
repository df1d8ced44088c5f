"""Speckle: multiplicative grain from interference, as in ultrasound and OCT."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import blur, side

_GRAIN = 0.006


def speckle(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Multiply by the magnitude of smoothed complex noise (Rayleigh), of which a share is mixed in."""
    waves = rng.standard_normal((*pixels.shape[:2], 2), dtype=np.float32)
    waves = blur(waves, 0.5 + _GRAIN * side(pixels))
    grain = np.hypot(waves[:, :, 0], waves[:, :, 1])
    return pixels * (1 + np.float32(strength) * (grain / grain.mean() - 1))[:, :, None]


CORRUPTION = Corruption(
    apply=speckle,
    strengths=(0.15, 0.3, 0.5, 0.75, 1.0),
    unit="share of full speckle",
    kind="medical",
    modalities=("ultrasound", "oct"),
)
