"""Collimation: the beam is cut to a rectangle that is too small and off the centre, as in x-ray."""

import numpy as np

from osler.transfer.corruption import Corruption

_OUTSIDE = 0.06


def collimation(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Darken what lies outside; `strength` is lost of each side, more from one edge than from the other."""
    out = pixels * np.float32(_OUTSIDE)
    kept = []
    for size in pixels.shape[:2]:
        lost = max(1, round(strength * size))
        first = round(lost * float(rng.uniform(0.2, 0.8)))
        kept.append(slice(first, size - (lost - first)))
    out[kept[0], kept[1]] = pixels[kept[0], kept[1]]
    return out


CORRUPTION = Corruption(
    apply=collimation,
    strengths=(0.06, 0.13, 0.21, 0.30, 0.42),
    unit="share of width and of height that is lost",
    kind="medical",
    modalities=("x-ray",),
)
