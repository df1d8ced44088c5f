"""Under-exposure: everything is darker and the noise is not."""

import numpy as np

from osler.transfer.corruption import Corruption

_NOISE = 0.01


def under_exposure(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Take away a share of the light and add the sensor's own noise."""
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(_NOISE)
    return pixels * np.float32(1 - strength) + noise


CORRUPTION = Corruption(
    apply=under_exposure,
    strengths=(0.2, 0.36, 0.52, 0.68, 0.82),
    unit="share of the light that is lost",
    kind="medical",
    modalities=("x-ray", "fundus", "endoscopy", "dermatology", "pathology", "microscopy"),
)
