"""Over-exposure: everything is brighter and what is bright becomes white."""

import numpy as np

from osler.transfer.corruption import Corruption


def over_exposure(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Multiply by 1 + `strength`."""
    del rng
    return pixels * np.float32(1 + strength)


CORRUPTION = Corruption(
    apply=over_exposure,
    strengths=(0.15, 0.35, 0.6, 1.0, 1.6),
    unit="gain beyond 1",
    kind="medical",
    modalities=("x-ray", "fundus", "endoscopy", "dermatology", "pathology", "microscopy"),
)
