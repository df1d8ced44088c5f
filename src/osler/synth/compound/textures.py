"""Textures that look, in what matters for cutting a figure apart, like medical pictures: tone, noise, edges, margins.

They show no anatomy. H, W: height and width in pixels; every function returns uint8 of shape [H, W, 3].
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def radiograph(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A gray film: soft large shapes, a few bright ribs, grain, often darker towards the rim."""
    tone = 30 + 180 * _clouds(rng, width, height, cells=int(rng.integers(3, 6)))
    for _ in range(int(rng.integers(2, 7))):
        tone = tone + _band(rng, width, height) * rng.uniform(10, 45)
    if rng.random() < 0.5:
        tone = tone * (1 - 0.8 * np.clip(_radius(width, height) - 0.55, 0, 1))
    return _gray(tone + rng.normal(0, rng.uniform(1, 5), tone.shape))


def tomogram(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A slice of a body: an ellipse with a bright rim and some organs on a black ground."""
    reach = rng.uniform(0.72, 0.98, 2)
    radius = np.hypot(*_axes(width, height, centre=rng.uniform(-0.04, 0.04, 2), reach=reach))
    tone = np.where(radius < 1, 60 + 80 * _clouds(rng, width, height, cells=5), 0.0)
    tone = np.where((radius > 0.9) & (radius < 1), rng.uniform(150, 230), tone)
    for _ in range(int(rng.integers(2, 6))):
        organ = np.hypot(*_axes(width, height, centre=rng.uniform(-0.45, 0.45, 2), reach=rng.uniform(0.1, 0.3, 2)))
        tone = np.where(organ < 1, rng.uniform(20, 240), tone)
    return _gray(np.where(radius < 1, tone + rng.normal(0, 6, tone.shape), rng.uniform(0, 3)))


def ultrasound(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A fan of speckle on a black ground, brighter in bands across the beam."""
    x, y = _axes(width, height, centre=(0.0, -1.05), reach=(1.0, 2.0))
    inside = (np.abs(x) < y * rng.uniform(0.75, 1.1)) & (np.hypot(x, y) < rng.uniform(0.9, 1.0)) & (y > 0.05)
    speckle = rng.rayleigh(26, (height, width)) * (0.4 + 1.6 * _clouds(rng, width, height, cells=6))
    return _gray(np.where(inside, speckle + 12, 0))


def fundus(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """An orange disc with a bright spot and dark branches on a black ground."""
    side = min(width, height)
    radius = np.hypot(*_axes(width, height, centre=(0, 0), reach=(0.97 * side / width, 0.97 * side / height)))
    shade = (0.6 + 0.4 * _clouds(rng, width, height, cells=4))[..., None]
    pixels = np.array([rng.uniform(170, 230), rng.uniform(70, 110), rng.uniform(20, 50)]) * shade
    spot = np.hypot(*_axes(width, height, centre=rng.uniform(-0.4, 0.4, 2), reach=(0.13, 0.13))) < 1
    pixels[spot] = (250, 215, 140)
    picture = Image.fromarray(np.where((radius < 1)[..., None], pixels, 0).clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(6):
        points = (np.cumsum(rng.normal(0, 0.05, (8, 2)), axis=0) + 0.5) * (width, height)
        pen.line([tuple(point) for point in points.tolist()], fill=(110, 30, 20), width=max(1, side // 120))
    return np.array(picture)


def stain(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Tissue on a slide: pink ground, often with pale holes, and purple nuclei."""
    ground = _clouds(rng, width, height, cells=9)
    pale = np.array([242.0, 225, 236])
    pink = np.array([rng.uniform(205, 235), rng.uniform(120, 170), rng.uniform(170, 205)])
    pixels = pink + (pale - pink) * np.clip(2.2 * (ground - 0.5), 0, 1)[..., None]
    picture = Image.fromarray(pixels.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    size = max(2.0, min(width, height) / rng.uniform(25, 70))
    for x, y in rng.uniform(0, 1, (int(rng.integers(60, 260)), 2)) * (width, height):
        pen.ellipse([x - size, y - size, x + size, y + size], fill=(96, 52, int(rng.integers(120, 165))))
    return _coloured(np.array(picture, dtype=np.float64) + rng.normal(0, 3, (height, width, 1)))


def fluorescence(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Glowing cells in one or two colours on a black ground."""
    layers = [Image.new("L", (width, height)) for _ in range(3)]
    size = min(width, height) / rng.uniform(12, 40)
    for channel in rng.choice(3, int(rng.integers(1, 3)), replace=False):
        pen = ImageDraw.Draw(layers[channel])
        for x, y in rng.uniform(0, 1, (int(rng.integers(15, 90)), 2)) * (width, height):
            reach_x, reach_y = size * rng.uniform(0.5, 1.5, 2)
            pen.ellipse([x - reach_x, y - reach_y, x + reach_x, y + reach_y], fill=int(rng.integers(90, 255)))
    glow = np.stack([np.asarray(layer.filter(ImageFilter.BoxBlur(size / 5))) for layer in layers], axis=2)
    return _coloured(glow + rng.normal(4, 2, (height, width, 1)))


TEXTURES: tuple[Callable[[np.random.Generator, int, int], np.ndarray], ...] = (
    radiograph, tomogram, ultrasound, fundus, stain, fluorescence,
)  # fmt: skip


def _clouds(rng: np.random.Generator, width: int, height: int, *, cells: int) -> np.ndarray:
    """Smooth random tone of 0 to 1, shape [H, W], about `cells` blobs across."""
    coarse = rng.random((cells + 1, cells + 1)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)


def _band(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A soft curved stripe, 0 to 1."""
    x, y = _axes(width, height, centre=(0, 0), reach=(1, 1))
    angle = rng.uniform(0, np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) + 0.3 * np.square(x * np.sin(angle) - y * np.cos(angle))
    return np.exp(-np.square((across - rng.uniform(-0.8, 0.8)) / rng.uniform(0.03, 0.12)))


def _radius(width: int, height: int) -> np.ndarray:
    return np.hypot(*_axes(width, height, centre=(0, 0), reach=(1, 1)))


def _axes(
    width: int, height: int, *, centre: tuple[float, float] | np.ndarray, reach: tuple[float, float] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates, shape [H, W] each: the picture spans -1 to 1 before `centre` is taken off and `reach` divided by."""
    x = (np.linspace(-1, 1, width) - centre[0]) / reach[0]
    y = (np.linspace(-1, 1, height) - centre[1]) / reach[1]
    grid_y, grid_x = np.meshgrid(y, x, indexing="ij")
    return grid_x, grid_y


def _gray(tone: np.ndarray) -> np.ndarray:
    return _coloured(np.repeat(tone[..., None], 3, axis=2))


def _coloured(pixels: np.ndarray) -> np.ndarray:
    return pixels.clip(0, 255).astype(np.uint8)
