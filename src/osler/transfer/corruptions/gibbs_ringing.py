"""Gibbs ringing: only the lower frequencies were measured, so that edges ring, as in MRI of few lines."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import lines_scaled


def gibbs_ringing(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Cut the Fourier lines beyond a share of the highest frequency."""
    del rng
    return lines_scaled(pixels, (np.abs(np.fft.fftfreq(pixels.shape[0])) < strength / 2).astype(float))


CORRUPTION = Corruption(
    apply=gibbs_ringing,
    strengths=(0.6, 0.42, 0.3, 0.2, 0.12),
    unit="share of the frequencies kept",
    kind="medical",
    modalities=("mri",),
)
