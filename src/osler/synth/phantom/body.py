"""Draws the chest itself: soft tissue, lungs with their vessels, ribs, clavicles, spine, heart, diaphragm, marker.

Brightness is 0 (air) to 1 (metal); bone and fluid are bright, as on a film. Findings are painted between
the layers, in the order in which `film.py` calls them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from osler.synth.phantom import anatomy as shape
from osler.synth.phantom.anatomy import Anatomy, Field, Plane, fill
from osler.synth.phantom.truth import LABELS, SIDES, Side, View

LUNG, HEART, FLUID = 0.27, 0.70, 0.66
_TISSUE, _ABDOMEN, _MEDIASTINUM = 0.52, 0.68, 0.62
_GLYPHS = {
    "left": ("10000", "10000", "10000", "10000", "10000", "10000", "11111"),
    "right": ("11110", "10001", "10001", "11110", "10100", "10010", "10001"),
}


@dataclass
class Canvas:
    """A film in the making.

    image: brightness, (H, W). mask: bit k is set where LABELS[k] is, (H, W). at: the pixels' centres in the
    patient's coordinates. soft: half the width of an edge.
    """

    image: Field
    mask: NDArray[np.uint8]
    at: Plane
    soft: float

    @property
    def x(self) -> Field:
        """The x of each column, shape (1, W)."""
        return self.at.x

    @property
    def y(self) -> Field:
        """The y of each row, shape (H, 1)."""
        return self.at.y

    def blend(self, level: float | Field, cover: Field) -> None:
        """Cover the image with `level` where `cover` is 1."""
        self.image += (level - self.image) * cover

    def mark(self, label: str, inside: NDArray[np.bool_]) -> None:
        """Set the bit of `label` where `inside` is true."""
        self.mask |= inside.astype(np.uint8) << np.uint8(LABELS.index(label))

    def marked(self, label: str) -> NDArray[np.bool_]:
        """Where the bit of `label` is set."""
        return (self.mask >> np.uint8(LABELS.index(label))) & 1 == 1


@dataclass(frozen=True)
class Chest:
    """One patient's anatomy, and distances that several layers share, each (H, W): both lungs and the heart."""

    anatomy: Anatomy
    lungs: dict[Side, Field]
    heart: Field

    @property
    def both(self) -> Field:
        """Distance to the nearer lung."""
        return np.minimum(self.lungs["left"], self.lungs["right"])


def new_canvas(num_pixels: int, shift: tuple[float, float], scale: tuple[float, float]) -> Canvas:
    """An empty square film, the patient moved by `shift` and scaled by `scale` about its centre."""
    centres = (np.arange(num_pixels, dtype=np.float32) + np.float32(0.5)) / np.float32(num_pixels)
    x = ((centres - 0.5 - shift[0]) / scale[0] + 0.5).astype(np.float32)
    y = ((centres - 0.5 - shift[1]) / scale[1] + 0.5).astype(np.float32)
    return Canvas(
        image=np.zeros((num_pixels, num_pixels), dtype=np.float32),
        mask=np.zeros((num_pixels, num_pixels), dtype=np.uint8),
        at=Plane(x[None, :], y[:, None]),
        soft=0.6 / num_pixels + 0.002,
    )


def measure_chest(canvas: Canvas, anatomy: Anatomy, ctr: float) -> Chest:
    """The distances of this patient's lungs and heart on this film."""
    lungs = {side: shape.lung(anatomy, side, canvas.at) for side in SIDES}
    return Chest(anatomy, lungs, shape.heart(anatomy, ctr, canvas.at))


def draw_tissue(canvas: Canvas, anatomy: Anatomy, *, female: bool) -> None:
    """Shoulders, chest wall, abdomen, and breast shadows."""
    x, y = canvas.x - anatomy.mid, canvas.y
    across = np.abs(x)
    outline = np.maximum(across - (anatomy.half + anatomy.wall), 0.02 + 0.55 * np.maximum(across - 0.1, 0) - y)
    canvas.blend(_TISSUE, fill(outline, 3 * canvas.soft))
    below = y - np.where(x > 0, anatomy.dome_y("left"), anatomy.dome_y("right"))
    canvas.image += (_ABDOMEN - _TISSUE) * fill(np.maximum(outline, -below), 4 * canvas.soft)
    if female:
        breast = np.hypot(across - 0.2, (y - 0.66) * 1.2) - 0.15
        canvas.image += 0.05 * fill(breast, 0.03)


def draw_lungs(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    """Dark lungs whose vessels fan out from the root and thin towards the wall."""
    cover = fill(chest.both, canvas.soft)
    across = np.abs(canvas.x - chest.anatomy.mid) - 0.06
    down = canvas.y - 0.48
    reach = across * across + down * down
    angle = np.arctan2(down, across + 0.02)
    phase = float(rng.uniform(0, 6.28))
    spokes = np.cos(11 * angle + phase + 3.0 * np.sin(9 * across)) * np.exp(-reach * 14)
    root = np.exp(-reach * 110)
    level = LUNG + 0.035 * spokes + 0.13 * root + _mottle(rng, canvas, cells=20, strength=0.013)
    canvas.blend(level, cover)
    for side in SIDES:
        visible = (chest.lungs[side] < 0) & (chest.heart > 0)
        canvas.mark(f"{side}_lung", visible)


def draw_ribs(canvas: Canvas, chest: Chest, view: View) -> None:
    """Posterior ribs that fall outwards, fainter anterior ones that fall inwards, and in AP the shoulder blades."""
    u = np.abs(canvas.x - chest.anatomy.mid) * np.float32(1.0 / chest.anatomy.half)
    cage = fill(chest.both - 0.02, 0.02)
    posterior = _bands((canvas.y - 0.11 * u * u) * np.float32(1.0 / 0.078))
    anterior = _bands((canvas.y + 0.16 * u) * np.float32(1.0 / 0.105) + 0.4)
    canvas.image += (0.045 * posterior + 0.02 * anterior) * cage
    if view == "AP":
        edge = u - 0.80 - 0.5 * np.abs(canvas.y - 0.26)
        canvas.image += 0.07 * fill(np.maximum(-edge, canvas.y - 0.42), 0.015)


def draw_mediastinum(canvas: Canvas, chest: Chest) -> None:
    """Spine with its discs, great vessels, windpipe and heart."""
    across, y = np.abs(canvas.x - chest.anatomy.mid), canvas.y
    widen = 0.012 * np.exp(-(((y - 0.36) / 0.09) ** 2))
    column = fill(across - chest.anatomy.gap - widen, 2 * canvas.soft)
    canvas.blend(_MEDIASTINUM + 0.05 * np.cos(y * np.float32(6.2832 / 0.062)), 0.9 * column)
    windpipe = fill(np.maximum(across - 0.014, y - 0.33), canvas.soft)
    canvas.image -= 0.13 * windpipe
    canvas.blend(HEART, 0.95 * fill(chest.heart, 1.5 * canvas.soft))
    canvas.mark("heart", chest.heart < 0)


def draw_clavicles(canvas: Canvas, anatomy: Anatomy, view: View) -> None:
    """Two bars from the breastbone to the shoulders; they lie flatter and higher in AP."""
    across = np.abs(canvas.x - anatomy.mid)
    rise, start = (0.06, 0.125) if view == "AP" else (0.14, 0.155)
    distance = np.abs(canvas.y - start + rise * (across - 0.04)) - 0.010
    distance = np.maximum(distance, np.abs(across - 0.18) - 0.145)
    canvas.image += 0.12 * fill(distance, 1.5 * canvas.soft)


def draw_marker(canvas: Canvas, marker: Side) -> None:
    """The letter of a side, in the film's upper corner on that side: R on the viewer's left, L on the right."""
    glyph = _glyph(marker, max(1, round(canvas.image.shape[0] / 96)))
    height, width = glyph.shape
    margin = max(2, canvas.image.shape[0] // 40)
    left = margin if marker == "right" else canvas.image.shape[1] - margin - width
    region = canvas.image[margin : margin + height, left : left + width]
    region[glyph] = 1.0


@lru_cache(maxsize=8)
def _glyph(marker: Side, scale: int) -> NDArray[np.bool_]:
    small = np.array([[int(dot) for dot in row] for row in _GLYPHS[marker]], dtype=np.uint8)
    return np.kron(small, np.ones((scale, scale), dtype=np.uint8)).astype(bool)


def _bands(phase: Field) -> Field:
    """Soft stripes: 1 at whole numbers, 0 over the middle third between."""
    return np.clip(1.6 * np.cos(np.float32(2 * np.pi) * phase) - 0.3, 0.0, 1.0)


def _mottle(rng: np.random.Generator, canvas: Canvas, *, cells: int, strength: float) -> Field:
    """Smooth noise: a coarse random grid, interpolated linearly."""
    grid = rng.standard_normal((cells, cells), dtype=np.float32) * np.float32(strength)
    weights = _interpolation(canvas.image.shape[0], cells)
    return weights @ grid @ weights.T


@lru_cache(maxsize=8)
def _interpolation(num_pixels: int, cells: int) -> Field:
    """Weights (num_pixels, cells) that spread `cells` values linearly over `num_pixels`."""
    at = (np.arange(num_pixels) + 0.5) / num_pixels * (cells - 1)
    return np.clip(1.0 - np.abs(at[:, None] - np.arange(cells)[None, :]), 0.0, 1.0).astype(np.float32)
