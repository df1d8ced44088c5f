"""The shape of a drawn chest as smooth distance functions.

Coordinates are fractions of the film, x to the viewer's right and y down. Distances are negative inside, in the same
unit, and exact only near the edge, which is all that drawing needs.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from osler.synth.phantom.truth import ZONES, Side

Field = NDArray[np.floating[Any]]
_Number = TypeVar("_Number", float, Field)

_LUNG_Y = 0.50
_LOWER_REACH = 0.46
_HEART_SHEAR = 0.3
_HEART_LEFT_SHARE = 0.28


@dataclass(frozen=True)
class Plane:
    """Where to measure: `x` is a row of shape (1, W), `y` a column (H, 1); a distance on it has shape (H, W)."""

    x: Field
    y: Field


@dataclass(frozen=True)
class Anatomy:
    """One patient's chest.

    mid: x of the spine. half: half the inner width of the chest. gap: half the width of the mediastinum.
    reach: height of the lungs above their centre. dome: y of the right diaphragm's top; the left lies
    `dome_step` lower. heart_height: half the height of the heart. wall: thickness of the chest wall.
    """

    mid: float
    half: float
    gap: float
    reach: float
    dome: float
    dome_step: float
    heart_height: float
    wall: float

    def dome_y(self, side: Side) -> float:
        """Height of the top of one side's diaphragm."""
        return self.dome + (self.dome_step if side == "left" else 0.0)

    def zone(self, y: float) -> str:
        """Upper, middle or lower third of the lungs at height `y`."""
        return ZONES[int(np.clip(3 * self.depth(y), 0, 2))]

    def depth(self, y: _Number) -> _Number:
        """How far down the lungs `y` lies: 0 at the apex, 1 at the diaphragm."""
        apex = _LUNG_Y - self.reach
        return (y - apex) / (self.dome - apex)


def sign(side: Side) -> int:
    """Which way a side lies on the film: the patient's left is on the viewer's right."""
    return 1 if side == "left" else -1


def fill(distance: Field, soft: float) -> Field:
    """Coverage 0..1 of a shape whose edge is blurred over `soft` to either side."""
    return np.clip(0.5 - distance * (0.5 / soft), 0.0, 1.0)


def diaphragm(anatomy: Anatomy, side: Side, x: Field) -> Field:
    """Height of the diaphragm at x: a dome that falls towards the costophrenic angle."""
    u = (x - (anatomy.mid + sign(side) * 0.4 * anatomy.half)) * np.float32(1.0 / _lung_rx(anatomy))
    return anatomy.dome_y(side) + 0.05 * u * u


def lung(anatomy: Anatomy, side: Side, at: Plane) -> Field:
    """Distance to one lung, from apex to diaphragm; the heart is not cut out."""
    return collapsed_lung(anatomy, side, at, rim=0.0)


def collapsed_lung(anatomy: Anatomy, side: Side, at: Plane, *, rim: float) -> Field:
    """Distance to a lung that has shrunk towards its root by `rim` of the hemithorax width."""
    return np.maximum(_cage(anatomy, side, at, rim), at.y - diaphragm(anatomy, side, at.x))


def heart(anatomy: Anatomy, ctr: float, at: Plane) -> Field:
    """Distance to the heart, an ellipse sheared to the patient's left, as wide as `ctr` asks."""
    width = ctr * anatomy.half
    lean = _HEART_SHEAR * anatomy.heart_height
    inner = float(np.sqrt(width * width - lean * lean))
    dy = at.y - (anatomy.dome - 0.105)
    dx = at.x - (anatomy.mid + _HEART_LEFT_SHARE * width) - _HEART_SHEAR * dy
    radius = np.sqrt((dx / inner) ** 2 + (dy / anatomy.heart_height) ** 2)
    return (radius - 1.0) * inner


def effusion(anatomy: Anatomy, side: Side, at: Plane, *, height: float, slack: float = 0.0) -> Field:
    """Distance to pleural fluid: inside the chest cage, above the diaphragm, below a meniscus that climbs the wall.

    `slack` lets it run that far past wall and diaphragm, so that no dark seam is left between blurred edges.
    """
    t = np.clip((sign(side) * (at.x - anatomy.mid) - anatomy.gap) / (anatomy.half - anatomy.gap), 0.0, 1.0)
    meniscus = anatomy.dome_y(side) + 0.06 - height + 0.5 * height * (1.0 - t * t * t)
    return np.maximum(lung(anatomy, side, at) - slack, meniscus - at.y)


def cardiothoracic_ratio(heart_distance: Field, lungs_distance: Field) -> float:
    """Widest heart over widest chest, measured on the drawn outlines with sub-pixel edges.

    Args:
        heart_distance: distances to the heart, shape (H, W).
        lungs_distance: distances to the nearer lung, shape (H, W).
    """
    return _extent(heart_distance.min(axis=0)) / _extent(lungs_distance.min(axis=0))


def _extent(profile: Field) -> float:
    """Width in pixels over which a column profile is negative, edges interpolated."""
    inside = np.flatnonzero(profile < 0)
    first, last = int(inside[0]), int(inside[-1])
    left = first - _crossing(profile, first, -1)
    return last + _crossing(profile, last, 1) - left


def _crossing(profile: Field, edge: int, step: int) -> float:
    """How far beyond `edge`, in pixels, the profile turns positive."""
    inner, outer = float(profile[edge]), float(profile[edge + step])
    return -inner / (outer - inner)


def _lung_rx(anatomy: Anatomy) -> float:
    return (anatomy.half - anatomy.gap) / 2


def _cage(anatomy: Anatomy, side: Side, at: Plane, rim: float) -> Field:
    """Distance to the half of the cage that holds a lung, a rounded box between ellipse and square.

    `rim` moves the lateral and upper walls inwards and leaves the root and the base where they are.
    """
    toward = sign(side)
    rx = _lung_rx(anatomy) * (1.0 - rim)
    up = anatomy.reach * (1.0 - 0.6 * rim)
    cy = _LUNG_Y + 0.6 * rim * anatomy.reach
    low = _LUNG_Y + _LOWER_REACH - cy
    dy = (at.y - cy) * np.where(at.y < cy, 1.0 / up, 1.0 / low).astype(np.float32)
    narrowing = 0.05 * np.clip(-dy, 0.0, 1.0) ** 2
    cx = anatomy.mid + toward * (anatomy.gap + rx - narrowing)
    u2 = ((at.x - cx) * np.float32(1.0 / rx)) ** 2
    v2 = dy * dy
    radius = 0.5 * (np.sqrt(u2 + v2) + np.sqrt(np.sqrt(u2 * u2 + v2 * v2)))
    return (radius - 1.0) * rx
