"""Spikes in k-space: one to three wrong values, each of which lays a pattern of stripes over an MRI."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import signed


def kspace_spikes(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Add the plane wave that a spike amounts to, then take the magnitude."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    across, down = np.arange(width)[None, :] / width, np.arange(height)[:, None] / height
    for _ in range(int(rng.integers(1, 4))):
        waves_x, waves_y = rng.uniform(0.08, 0.3, 2) * (width, height) * (1, signed(rng))
        turn = 2 * np.pi * (waves_x * across + waves_y * down) + rng.uniform(0, 2 * np.pi)
        out += (strength * np.cos(turn))[:, :, None].astype(np.float32)
    return np.abs(out)


CORRUPTION = Corruption(
    apply=kspace_spikes,
    strengths=(0.03, 0.06, 0.10, 0.15, 0.22),
    unit="height of a wave, of the range from black to white",
    kind="medical",
    modalities=("mri",),
)
