"""Uneven focus: parts of the field are blurred, as on a slide that does not lie flat."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import blur, side, smooth_noise

_CELLS = 4


def uneven_focus(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Mix the picture with a blurred one by a smooth field, half in focus and half not."""
    sigma = 0.6 + strength * side(pixels)
    share = np.clip(0.5 + 1.5 * smooth_noise(pixels, rng, cells=_CELLS), 0, 1)[:, :, None]
    return pixels * (1 - share) + blur(pixels, sigma) * share


CORRUPTION = Corruption(
    apply=uneven_focus,
    strengths=(0.003, 0.008, 0.016, 0.028, 0.045),
    unit="blur beyond 0.6 pixels, of the shorter side",
    kind="medical",
    modalities=("pathology", "microscopy"),
)
