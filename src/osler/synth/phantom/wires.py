"""Where devices run: chains of straight pieces in the patient's coordinates."""

import numpy as np

from osler.synth.phantom.anatomy import Anatomy, Field, Plane, sign
from osler.synth.phantom.truth import Side

Point = tuple[float, float]


def pacemaker_centre(anatomy: Anatomy, side: Side) -> Point:
    """Where a pacemaker's can lies."""
    return anatomy.mid + sign(side) * 0.27, 0.20


def pacemaker_lead(anatomy: Anatomy, side: Side) -> tuple[Point, ...]:
    """From the can through the great veins into the heart."""
    x, y = pacemaker_centre(anatomy, side)
    halfway = (anatomy.mid + 0.5 * (x - anatomy.mid), 0.24)
    return (x, y), halfway, (anatomy.mid - 0.03, 0.40), (anatomy.mid + 0.06, anatomy.dome - 0.05)


def breathing_tube(anatomy: Anatomy) -> tuple[Point, ...]:
    """Down the windpipe."""
    return (anatomy.mid, -0.05), (anatomy.mid + 0.004, 0.29)


def central_line(anatomy: Anatomy, side: Side) -> tuple[Point, ...]:
    """From below one clavicle into the great vein, which lies on the patient's right."""
    middle, out = anatomy.mid, sign(side)
    return (middle + out * 0.34, 0.17), (middle + out * 0.13, 0.145), (middle - 0.03, 0.22), (middle - 0.03, 0.40)


def chain_distance(at: Plane, points: tuple[Point, ...]) -> Field:
    """Distance to a chain of straight pieces."""
    return np.minimum.reduce([_piece(at, start, end) for start, end in zip(points, points[1:], strict=False)])


def _piece(at: Plane, start: Point, end: Point) -> Field:
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = at.x - start[0], at.y - start[1]
    along = np.clip((px * dx + py * dy) * np.float32(1.0 / (dx * dx + dy * dy)), 0.0, 1.0)
    return np.hypot(px - along * dx, py - along * dy)
