"""Bias field: brightness that changes slowly over the picture, as from an uneven coil in MRI."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import smooth_noise

_CELLS = 3


def bias_field(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Multiply by the exponential of a smooth field."""
    field = smooth_noise(pixels, rng, cells=_CELLS)
    return pixels * np.exp(np.float32(strength) * field)[:, :, None]


CORRUPTION = Corruption(
    apply=bias_field,
    strengths=(0.2, 0.4, 0.65, 0.95, 1.3),
    unit="largest logarithm of the factor",
    kind="medical",
    modalities=("mri",),
)
