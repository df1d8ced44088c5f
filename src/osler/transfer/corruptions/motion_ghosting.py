"""Motion ghosting: shifted copies along the phase-encoding direction, as when a patient breathes in MRI."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import lines_scaled


def motion_ghosting(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Turn the phase of the Fourier lines by a wave, which moves part of the picture into copies above and below."""
    height = pixels.shape[0]
    shift = float(rng.uniform(0.08, 0.3)) * height
    wave = np.sin(2 * np.pi * np.fft.fftfreq(height) * shift + float(rng.uniform(0, 2 * np.pi)))
    return lines_scaled(pixels, np.exp(1j * strength * wave))


CORRUPTION = Corruption(
    apply=motion_ghosting,
    strengths=(0.2, 0.4, 0.65, 0.95, 1.3),
    unit="largest turn of the phase, in radians",
    kind="medical",
    modalities=("mri",),
)
