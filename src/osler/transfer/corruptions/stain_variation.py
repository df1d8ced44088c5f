"""Stain variation: more or less of each dye, as between laboratories.

The dyes are haematoxylin, eosin and a third one, with the absorption of each in red, green and blue after Ruifrok and
Johnston (2001). A gray picture becomes denser or less dense as a whole.
"""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import signed

_DYES = np.array([[0.650, 0.704, 0.286], [0.072, 0.990, 0.105], [0.268, 0.570, 0.776]])
_DARKEST = 1 / 255


def stain_variation(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Multiply the amount of each dye by a factor of its own, up or down."""
    density = -np.log(np.maximum(pixels, _DARKEST))
    if pixels.shape[2] == 1:
        return np.exp(-density * np.float32(np.exp(strength * signed(rng))))
    dyes = _DYES / np.linalg.norm(_DYES, axis=1, keepdims=True)
    factors = np.exp(strength * np.array([signed(rng) * rng.uniform(0.7, 1.0) for _ in dyes]))
    change = np.linalg.inv(dyes) @ np.diag(factors) @ dyes
    return np.exp(-density @ change.astype(np.float32))


CORRUPTION = Corruption(
    apply=stain_variation,
    strengths=(0.12, 0.25, 0.42, 0.62, 0.9),
    unit="largest logarithm of a dye's factor",
    kind="medical",
    modalities=("pathology", "microscopy"),
)
