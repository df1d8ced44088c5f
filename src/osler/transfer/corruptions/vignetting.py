"""Vignetting: light falls off towards the border, as through a narrow pupil or an ill-set condenser."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import centred


def vignetting(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Darken with the square of the distance from a point near the middle; the corners lose a share `strength`."""
    dx, dy = centred(pixels, x=float(rng.uniform(0.42, 0.58)), y=float(rng.uniform(0.42, 0.58)))
    distance = dx * dx + dy * dy
    return pixels * (1 - np.float32(strength) * (distance / distance.max()))[:, :, None]


CORRUPTION = Corruption(
    apply=vignetting,
    strengths=(0.25, 0.45, 0.65, 0.85, 1.0),
    unit="share of the light lost in the farthest corner",
    kind="medical",
    modalities=("fundus", "endoscopy", "dermatology", "pathology", "microscopy"),
)
