"""Where round findings can lie so that each is seen on its own: clear of edges, heart, fluid, air and devices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osler.synth.phantom import anatomy as shape
from osler.synth.phantom.anatomy import Anatomy, Field
from osler.synth.phantom.lesion import Lesion
from osler.synth.phantom.truth import SIDES, Side

_GRID = 56
_MARGIN = 0.012
_X = np.linspace(0, 1, _GRID, dtype=np.float32)[None, :]
_Y = np.linspace(0, 1, _GRID, dtype=np.float32)[:, None]


@dataclass(frozen=True)
class Placed:
    """A side and a centre; `radius` may be smaller than asked where room is short."""

    side: Side
    x: float
    y: float
    radius: float = 0.0


def place_nodules(
    rng: np.random.Generator,
    anatomy: Anatomy,
    wanted: list[tuple[Side, float]],
    blocked: Sequence[Lesion],
    widest_ctr: float,
) -> list[Placed]:
    """Centres for nodules of the wanted sides and radii that touch nothing and one another least of all."""
    room = {side: _room(anatomy, side, blocked, widest_ctr) for side in SIDES}
    placed: list[Placed] = []
    for side, radius in wanted:
        spot = _best_spot(rng, room, side, radius)
        placed.append(spot)
        gap = np.hypot(_X - spot.x, _Y - spot.y) - (spot.radius + _MARGIN)
        room[spot.side] = np.minimum(room[spot.side], gap)
    return placed


def place_consolidation(
    rng: np.random.Generator, anatomy: Anatomy, side: Side, blocked: Sequence[Lesion], widest_ctr: float
) -> Placed:
    """A centre well inside the part of a lung that stays visible."""
    room = _room(anatomy, side, blocked, widest_ctr)
    return _pick(rng, room, side, min(0.05, 0.9 * float(room.max())))


def pacemaker_centre(anatomy: Anatomy, side: Side) -> tuple[float, float]:
    """Where a pacemaker's can lies."""
    return anatomy.mid + shape.sign(side) * 0.27, 0.20


def _best_spot(rng: np.random.Generator, room: dict[Side, Field], side: Side, radius: float) -> Placed:
    """A spot on the wanted side, else a smaller nodule there, else the roomiest spot of the other side."""
    other = SIDES[1 - SIDES.index(side)]
    for where, size in ((side, radius), (side, 0.85 * radius), (other, radius)):
        if float(room[where].max()) > size + _MARGIN:
            return _pick(rng, room[where], where, size + _MARGIN, size)
    where = max(room, key=lambda name: float(room[name].max()))
    return _pick(rng, room[where], where, float(room[where].max()) * 0.999, 0.8 * radius)


def _pick(rng: np.random.Generator, room: Field, side: Side, clearance: float, radius: float = 0.0) -> Placed:
    rows, columns = np.nonzero(room >= clearance)
    index = int(rng.integers(len(rows)))
    return Placed(side, float(_X[0, columns[index]]), float(_Y[rows[index], 0]), radius)


def _room(anatomy: Anatomy, side: Side, blocked: Sequence[Lesion], widest_ctr: float) -> Field:
    """Distance from each grid point of one lung to the nearest thing a finding must keep clear of."""
    room = -shape.lung(anatomy, side, _X, _Y)
    room = np.minimum(room, shape.heart(anatomy, widest_ctr, _X, _Y))
    room = np.minimum(room, _Y - 0.155)
    for finding in blocked:
        if finding.side == side:
            room = np.minimum(room, _clearance(anatomy, side, finding))
    return room


def _clearance(anatomy: Anatomy, side: Side, finding: Lesion) -> Field:
    if finding.kind == "effusion":
        return shape.effusion(anatomy, side, _X, _Y, finding.size)
    if finding.kind == "pneumothorax":
        return -shape.collapsed_lung(anatomy, side, _X, _Y, finding.size)
    if finding.kind == "consolidation":
        return np.hypot(_X - finding.x, _Y - finding.y) - 1.15 * finding.size
    if finding.grade == "pacemaker":
        x, y = pacemaker_centre(anatomy, side)
        return np.hypot(_X - x, _Y - y) - 0.065
    return np.full((_GRID, _GRID), 1.0, dtype=np.float32)
