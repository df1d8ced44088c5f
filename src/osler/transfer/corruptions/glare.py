"""Glare: white reflections of the lamp on something wet or shiny."""

import numpy as np

from osler.transfer.corruption import Corruption
from osler.transfer.fields import side

_SPOTS = 8
_EDGE = 0.25


def glare(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Eight bright ellipses that together cover about a share `strength` of a square of the shorter side."""
    out = pixels.copy()
    for _ in range(_SPOTS):
        x, y = rng.uniform(0.1, 0.9, 2) * (pixels.shape[1], pixels.shape[0])
        flatness, turn = float(rng.uniform(0.5, 1.0)), float(rng.uniform(0, np.pi))
        radius = float(rng.uniform(0.7, 1.3)) * side(pixels) * float(np.sqrt(strength / (np.pi * _SPOTS * flatness)))
        _add_spot(out, (float(x), float(y)), max(1.0, radius), flatness=flatness, turn=turn)
    return out


def _add_spot(pixels: np.ndarray, at: tuple[float, float], radius: float, *, flatness: float, turn: float) -> None:
    """One white ellipse with a soft edge, in place; only the square around it is touched."""
    reach = radius * (1 + _EDGE) + 1
    left, top = (max(0, int(centre - reach)) for centre in at)
    part = pixels[top : int(at[1] + reach) + 1, left : int(at[0] + reach) + 1]
    dx = np.arange(left, left + part.shape[1], dtype=np.float32)[None, :] + 0.5 - at[0]
    dy = np.arange(top, top + part.shape[0], dtype=np.float32)[:, None] + 0.5 - at[1]
    along, beside = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    distance = np.hypot(along, beside / flatness) / radius
    cover = np.clip((1 + _EDGE - distance) / (2 * _EDGE), 0, 1)[:, :, None].astype(np.float32)
    part += cover * (1 - part)


CORRUPTION = Corruption(
    apply=glare,
    strengths=(0.008, 0.02, 0.04, 0.07, 0.12),
    unit="share covered",
    kind="medical",
    modalities=("fundus", "endoscopy", "dermatology"),
)
