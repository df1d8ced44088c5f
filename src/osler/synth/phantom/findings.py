"""Draws the findings and marks their full-resolution masks."""

from collections.abc import Callable

import numpy as np

from osler.synth.phantom import anatomy as shape
from osler.synth.phantom import wires
from osler.synth.phantom.anatomy import Anatomy, Field, fill
from osler.synth.phantom.body import FLUID, LUNG, Canvas, Chest
from osler.synth.phantom.lesion import Lesion
from osler.synth.phantom.truth import Side
from osler.synth.phantom.wires import Point


def paint_pneumothorax(canvas: Canvas, chest: Chest, lesion: Lesion) -> None:
    """A rim of black air without vessels, and the thin bright edge of the lung that has come away from the wall."""
    side = _side(lesion)
    lung = chest.lungs[side]
    edge = shape.collapsed_lung(chest.anatomy, side, canvas.at, rim=lesion.size)
    air = np.maximum(lung, -edge)
    canvas.blend(LUNG - 0.17, fill(air, canvas.soft))
    canvas.image += 0.05 * fill(np.maximum(edge, lung), canvas.soft)
    line = np.maximum(np.abs(edge) - max(0.004, 0.5 * _pixel(canvas)), lung)
    canvas.image += 0.22 * fill(line, canvas.soft)
    canvas.mark("pneumothorax", (air < 0) & (chest.heart > 0))


def paint_consolidation(canvas: Canvas, chest: Chest, lesion: Lesion) -> None:
    """A cloud without a sharp edge, wider than any nodule, inside the lung."""
    dx, dy = canvas.x - lesion.x, canvas.y - lesion.y
    wobble = 0.10 * np.sin(dx * 61 + dy * 23) + 0.10 * np.sin(dy * 53 - dx * 31)
    radius = np.sqrt(dx * dx + dy * dy) * np.float32(1.0 / lesion.size) + wobble
    inside = chest.lungs[_side(lesion)]
    cover = np.clip(1.5 * (1.15 - radius), 0.0, 1.0) * fill(inside, canvas.soft)
    canvas.image += 0.27 * cover
    canvas.mark("consolidation", (cover > 0.35) & (chest.heart > 0))


def paint_nodule(canvas: Canvas, lesion: Lesion) -> None:
    """A round spot with a sharp edge."""
    distance = np.hypot(canvas.x - lesion.x, canvas.y - lesion.y) - lesion.size
    canvas.image += 0.27 * fill(distance, canvas.soft)
    canvas.mark("nodule", distance < 0)


def paint_effusion(canvas: Canvas, chest: Chest, lesion: Lesion) -> None:
    """Fluid that fills the angle beside the diaphragm and climbs the wall."""
    side = _side(lesion)
    distance = shape.effusion(chest.anatomy, side, canvas.at, height=lesion.size)
    covered = shape.effusion(chest.anatomy, side, canvas.at, height=lesion.size, slack=3 * canvas.soft)
    canvas.blend(FLUID, fill(covered, 1.5 * canvas.soft))
    canvas.mark("effusion", (distance < 0) & (chest.heart > 0))


def paint_device(canvas: Canvas, anatomy: Anatomy, lesion: Lesion) -> None:
    """Metal or plastic, brighter than bone."""
    distance = _DEVICES[lesion.grade](canvas, anatomy, lesion)
    canvas.blend(1.0, 0.9 * fill(distance, canvas.soft))
    canvas.mark("device", distance < 0)


def _pacemaker(canvas: Canvas, anatomy: Anatomy, lesion: Lesion) -> Field:
    side = _side(lesion)
    x, y = wires.pacemaker_centre(anatomy, side)
    can = np.maximum(np.abs(canvas.x - x) - 0.045, np.abs(canvas.y - y) - 0.038)
    return np.minimum(can, _wire(canvas, wires.pacemaker_lead(anatomy, side), 0.006))


def _breathing_tube(canvas: Canvas, anatomy: Anatomy, lesion: Lesion) -> Field:
    del lesion
    return _wire(canvas, wires.breathing_tube(anatomy), 0.010)


def _central_line(canvas: Canvas, anatomy: Anatomy, lesion: Lesion) -> Field:
    return _wire(canvas, wires.central_line(anatomy, _side(lesion)), 0.007)


_DEVICES: dict[str, Callable[[Canvas, Anatomy, Lesion], Field]] = {
    "pacemaker": _pacemaker,
    "breathing tube": _breathing_tube,
    "central line": _central_line,
}


def _wire(canvas: Canvas, points: tuple[Point, ...], half_width: float) -> Field:
    """Distance to a wire, which is never thinner than a pixel."""
    return wires.chain_distance(canvas.at, points) - max(half_width, 0.6 * _pixel(canvas))


def _pixel(canvas: Canvas) -> float:
    return 1.0 / canvas.image.shape[0]


def _side(lesion: Lesion) -> Side:
    if lesion.side == "":
        raise ValueError(f"a {lesion.kind} must have a side")
    return lesion.side
