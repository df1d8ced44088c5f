"""Metal streaks: bright and dark rays from one or two pieces of metal, as in CT of an implant."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import centred

_RAYS = 72
_METAL = 0.022


def metal_streaks(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Rays that fade with their distance from the metal, and the metal itself in white."""
    out = pixels.copy()
    for _ in range(int(rng.integers(1, 3))):
        dx, dy = centred(pixels, x=float(rng.uniform(0.3, 0.7)), y=float(rng.uniform(0.3, 0.7)))
        distance = np.hypot(dx, dy)
        rays = rng.standard_normal(_RAYS)
        turn = (np.arctan2(dy, dx) / (2 * np.pi) + 0.5) * _RAYS
        low = np.floor(turn).astype(int)
        value = rays[low % _RAYS] * (1 - turn + low) + rays[(low + 1) % _RAYS] * (turn - low)
        out += (strength * value / (1 + 4 * distance))[:, :, None].astype(np.float32)
        out[distance < _METAL * (1 + strength)] = 1.0
    return out


CORRUPTION = Corruption(
    apply=metal_streaks,
    strengths=(0.07, 0.14, 0.23, 0.34, 0.48),
    unit="deviation of the rays at the metal, of the range from black to white",
    kind="medical",
    modalities=("ct", "x-ray"),
)
