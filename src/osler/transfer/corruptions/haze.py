"""Haze: an uneven gray veil, as from smoke or mist in endoscopy and from a clouded lens in fundus photographs."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import smooth_noise

_CELLS = 4
_VEIL = 0.75


def haze(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Mix with light gray; the veil's share lies between 0.6 and 1 times `strength`."""
    share = np.float32(strength) * (0.8 + 0.2 * smooth_noise(pixels, rng, cells=_CELLS))[:, :, None]
    return pixels * (1 - share) + np.float32(_VEIL) * share


CORRUPTION = Corruption(
    apply=haze,
    strengths=(0.15, 0.3, 0.45, 0.62, 0.8),
    unit="largest share of the veil",
    kind="medical",
    modalities=("fundus", "endoscopy"),
)
