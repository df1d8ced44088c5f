"""Undersampled k-space: lines away from the middle are missing at random and left empty, as in fast MRI."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import lines_scaled

_CENTRE = 0.06


def kspace_undersampling(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Keep the lowest frequencies and one in `strength` of the other lines."""
    frequency = np.abs(np.fft.fftfreq(pixels.shape[0]))
    kept = (rng.random(pixels.shape[0]) < 1 / strength) & (frequency < frequency.max())
    return lines_scaled(pixels, (kept | (frequency < _CENTRE)).astype(float))


CORRUPTION = Corruption(
    apply=kspace_undersampling,
    strengths=(1.2, 1.6, 2.4, 4.0, 8.0),
    unit="one in so many lines is kept",
    kind="medical",
    modalities=("mri",),
)
