"""Where round findings can lie so that each is seen on its own: clear of edges, heart, fluid, air and devices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from osler.synth.phantom import anatomy as shape
from osler.synth.phantom.anatomy import Anatomy, Field, Plane
from osler.synth.phantom.lesion import Lesion
from osler.synth.phantom.truth import SIDES, Side
from osler.synth.phantom.wires import chain_distance, pacemaker_centre, pacemaker_lead

_GRID = 56
_MARGIN = 0.012
_SEAM = 0.08
_CLOUD_CLEARANCE = 0.035
_BELOW_CLAVICLES = 0.155
_X = np.linspace(0, 1, _GRID, dtype=np.float32)[None, :]
_Y = np.linspace(0, 1, _GRID, dtype=np.float32)[:, None]
_AT = Plane(_X, _Y)


@dataclass(frozen=True)
class Placed:
    """A side and a centre; `radius` may be smaller than asked where room is short."""

    side: Side
    x: float
    y: float
    radius: float = 0.0


@dataclass
class _Rooms:
    """For each side, the distance from each grid point to the nearest thing to keep clear of; and each row's zone."""

    free: dict[Side, Field]
    zone_of_row: NDArray[np.int64]

    def widest(self, side: Side) -> float:
        """The largest radius that fits somewhere on a side."""
        return float(self.free[side].max())


def place_nodules(
    rng: np.random.Generator,
    anatomy: Anatomy,
    wanted: list[tuple[Side, float]],
    *,
    blocked: Sequence[Lesion],
    widest_ctr: float,
) -> list[Placed]:
    """Centres for nodules of the wanted sides and radii that touch nothing and one another least of all."""
    rooms = _rooms(anatomy, blocked, widest_ctr)
    placed: list[Placed] = []
    for side, radius in wanted:
        spot = _best_spot(rng, rooms, side, radius)
        placed.append(spot)
        gap = np.hypot(_X - spot.x, _Y - spot.y) - (spot.radius + _MARGIN)
        rooms.free[spot.side] = np.minimum(rooms.free[spot.side], gap)
    return placed


def place_consolidation(
    rng: np.random.Generator, anatomy: Anatomy, side: Side, *, blocked: Sequence[Lesion], widest_ctr: float
) -> Placed:
    """A centre well inside the part of a lung that stays visible."""
    rooms = _rooms(anatomy, blocked, widest_ctr)
    return _pick(rng, rooms, side, min(_CLOUD_CLEARANCE, 0.9 * rooms.widest(side)))


def _best_spot(rng: np.random.Generator, rooms: _Rooms, side: Side, radius: float) -> Placed:
    """A spot on the wanted side, else a smaller nodule there, else the roomiest spot of the other side."""
    other = SIDES[1 - SIDES.index(side)]
    for where, size in ((side, radius), (side, 0.85 * radius), (other, radius)):
        if rooms.widest(where) > size + _MARGIN:
            return _pick(rng, rooms, where, size + _MARGIN, size)
    where = max(SIDES, key=rooms.widest)
    return _pick(rng, rooms, where, rooms.widest(where) * 0.999, 0.8 * radius)


def _pick(rng: np.random.Generator, rooms: _Rooms, side: Side, clearance: float, radius: float = 0.0) -> Placed:
    """A zone among those with room, then a spot in it, so that the zones come up about equally often."""
    rows, columns = np.nonzero(rooms.free[side] >= clearance)
    zones = rooms.zone_of_row[rows]
    possible = np.unique(zones)
    inside = np.flatnonzero(zones == possible[rng.integers(len(possible))])
    index = inside[rng.integers(len(inside))]
    return Placed(side, float(_X[0, columns[index]]), float(_Y[rows[index], 0]), radius)


def _rooms(anatomy: Anatomy, blocked: Sequence[Lesion], widest_ctr: float) -> _Rooms:
    """What is free on either side, without the seams between zones, where a zone would be a matter of taste."""
    thirds = 3 * anatomy.depth(_Y)
    seam = np.minimum(np.abs(thirds - 1), np.abs(thirds - 2)) < _SEAM
    free = {side: np.where(seam, -1.0, _room(anatomy, side, blocked, widest_ctr)) for side in SIDES}
    return _Rooms(free, np.clip(np.floor(thirds[:, 0]), 0, 2).astype(np.int64))


def _room(anatomy: Anatomy, side: Side, blocked: Sequence[Lesion], widest_ctr: float) -> Field:
    """Distance from each grid point of one lung to the nearest thing a finding must keep clear of."""
    room = -shape.lung(anatomy, side, _AT)
    room = np.minimum(room, 0.8 * shape.heart(anatomy, widest_ctr, _AT))  # its distance is too long where it leans
    room = np.minimum(room, _Y - _BELOW_CLAVICLES)
    for finding in blocked:
        if finding.side == side:
            room = np.minimum(room, _clearance(anatomy, side, finding))
    return room


def _clearance(anatomy: Anatomy, side: Side, finding: Lesion) -> Field:
    if finding.kind == "effusion":
        return shape.effusion(anatomy, side, _AT, height=finding.size)
    if finding.kind == "pneumothorax":
        return -shape.collapsed_lung(anatomy, side, _AT, rim=finding.size)
    if finding.kind == "consolidation":
        return np.hypot(_X - finding.x, _Y - finding.y) - 1.15 * finding.size
    if finding.grade == "pacemaker":
        x, y = pacemaker_centre(anatomy, side)
        return np.minimum(np.hypot(_X - x, _Y - y) - 0.065, chain_distance(_AT, pacemaker_lead(anatomy, side)) - 0.01)
    return np.full((_GRID, _GRID), 1.0, dtype=np.float32)
