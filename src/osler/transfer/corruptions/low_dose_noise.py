"""Low dose: few photons pass what absorbs them, so that noise grows with brightness, as in CT and x-ray."""

import numpy as np

from osler.transfer.corruption import Corruption

_ABSORPTION = 2.5


def low_dose_noise(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Count the photons that pass, of `strength` that enter, and take the logarithm again; white absorbs 92 %."""
    counts = rng.poisson(strength * np.exp(-_ABSORPTION * pixels.astype(np.float64)))
    return (-np.log(np.maximum(counts, 0.5) / strength) / _ABSORPTION).astype(np.float32)


CORRUPTION = Corruption(
    apply=low_dose_noise,
    strengths=(1500.0, 500.0, 180.0, 70.0, 30.0),
    unit="photons that enter for each pixel",
    kind="medical",
    modalities=("ct", "x-ray"),
)
