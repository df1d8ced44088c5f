"""Defocus: every point becomes an even disc, as through a lens that is out of focus."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import side, splat, spread

_RINGS = 8
_HALF_PIXEL = 0.5


def defocus_blur(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Spread each point over a disc of radius half a pixel plus `strength`."""
    del rng
    radius = _HALF_PIXEL + strength * side(pixels)
    return spread(pixels, splat(radius * _disc()))


def _disc() -> np.ndarray:
    """Points [n, 2] that fill the unit disc evenly: each ring has as many as its area asks for."""
    rings = [(ring + 0.5) / _RINGS for ring in range(_RINGS)]
    turns = [np.arange(8 * (2 * ring + 1)) / (8 * (2 * ring + 1)) * 2 * np.pi for ring in range(_RINGS)]
    return np.concatenate(
        [np.stack([r * np.cos(turn), r * np.sin(turn)], axis=1) for r, turn in zip(rings, turns, strict=True)]
    )


CORRUPTION = Corruption(
    apply=defocus_blur,
    strengths=(0.003, 0.008, 0.014, 0.022, 0.032),
    unit="radius of the disc beyond half a pixel, of the shorter side",
    kind="common",
)
