"""Drawn plots on white paper: axes, ticks with numbers, axis names, and lines, bars, points or boxes."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_INKS = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (20, 20, 20), (148, 103, 189))
_NAMES = ("Time (s)", "Dose (mg)", "Group", "Count", "Score", "Rate (%)", "Age", "Signal")
_TITLES = ("Control", "Treated", "Survival", "All patients", "Day 7")


def plot(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A plot that fills a sheet: uint8, shape [height, width, 3]."""
    picture = Image.new("RGB", (width, height), (255, 255, 255))
    pen = ImageDraw.Draw(picture)
    size = int(np.clip(min(width, height) / rng.uniform(14, 22), 7, 22))
    font = ImageFont.load_default(size)
    left, bottom = int(size * rng.uniform(2.6, 3.4)), int(size * rng.uniform(2.4, 3.2))
    top = int(size * 1.5) if rng.random() < 0.5 else 3
    frame = (left, top, width - 4, height - bottom)
    if top > 3:
        pen.text(((left + width) / 2, top - 2), str(rng.choice(_TITLES)), (0, 0, 0), font, anchor="mb")
    _axes(rng, pen, frame, font)
    pen.text(((left + width) / 2, height - 1), str(rng.choice(_NAMES)), (0, 0, 0), font, anchor="mb")
    _draw_sideways(picture, str(rng.choice(_NAMES)), font, middle=(top + height - bottom) // 2)
    _MARKS[int(rng.integers(len(_MARKS)))](rng, pen, frame)
    return np.array(picture)


def _axes(
    rng: np.random.Generator,
    pen: ImageDraw.ImageDraw,
    frame: tuple[int, int, int, int],
    font: ImageFont.FreeTypeFont,
) -> None:
    x0, y0, x1, y1 = frame
    if rng.random() < 0.4:
        pen.rectangle(frame, outline=(0, 0, 0))
    else:
        pen.line([(x0, y0), (x0, y1), (x1, y1)], fill=(0, 0, 0))
    for share in np.linspace(0.05, 0.9, int(rng.integers(3, 6))):
        x, y = x0 + share * (x1 - x0), y1 - share * (y1 - y0)
        pen.line([(x, y1), (x, y1 + 3)], fill=(0, 0, 0))
        pen.line([(x0 - 3, y), (x0, y)], fill=(0, 0, 0))
        pen.text((x, y1 + 4), f"{100 * share:.0f}", (0, 0, 0), font, anchor="mt")
        pen.text((x0 - 5, y), f"{10 * share:.0f}", (0, 0, 0), font, anchor="rm")


def _draw_sideways(picture: Image.Image, text: str, font: ImageFont.FreeTypeFont, *, middle: int) -> None:
    box = font.getbbox(text)
    strip = Image.new("RGB", (int(box[2]) + 2, int(box[3]) + 2), (255, 255, 255))
    ImageDraw.Draw(strip).text((1, 1), text, (0, 0, 0), font)
    turned = strip.rotate(90, expand=True)
    picture.paste(turned, (0, max(0, middle - turned.height // 2)))


def _lines(rng: np.random.Generator, pen: ImageDraw.ImageDraw, frame: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = frame
    for ink in rng.permutation(len(_INKS))[: int(rng.integers(1, 4))]:
        walk = np.cumsum(rng.normal(0, 1, 25))
        share = (walk - walk.min()) / (np.ptp(walk) + 1e-6)
        xs = np.linspace(x0 + 2, x1 - 2, 25)
        pen.line(
            list(zip(xs.tolist(), (y1 - 4 - share * (y1 - y0 - 8)).tolist(), strict=True)), fill=_INKS[ink], width=2
        )


def _bars(rng: np.random.Generator, pen: ImageDraw.ImageDraw, frame: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = frame
    num = int(rng.integers(2, 8))
    step = (x1 - x0) / num
    for bar in range(num):
        tall = rng.uniform(0.2, 0.95) * (y1 - y0)
        middle, half = x0 + (bar + 0.5) * step, 0.3 * step
        pen.rectangle([middle - half, y1 - tall, middle + half, y1], fill=_INKS[bar % len(_INKS)])


def _points(rng: np.random.Generator, pen: ImageDraw.ImageDraw, frame: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = frame
    spread = rng.normal(0.5, 0.18, (int(rng.integers(30, 120)), 2)).clip(0.03, 0.97)
    for x, y in spread * (x1 - x0, y1 - y0) + (x0, y0):
        pen.ellipse([x - 2, y - 2, x + 2, y + 2], fill=_INKS[int(rng.integers(len(_INKS)))])


def _boxes(rng: np.random.Generator, pen: ImageDraw.ImageDraw, frame: tuple[int, int, int, int]) -> None:
    x0, y0, x1, y1 = frame
    num = int(rng.integers(2, 6))
    step = (x1 - x0) / num
    for box in range(num):
        low, first, third, high = np.sort(rng.uniform(0.05, 0.95, 4)) * (y1 - y0)
        middle, half = x0 + (box + 0.5) * step, 0.25 * step
        pen.line([(middle, y1 - low), (middle, y1 - high)], fill=(0, 0, 0))
        pen.rectangle([middle - half, y1 - third, middle + half, y1 - first], outline=(0, 0, 0), fill=(190, 205, 230))


_MARKS: tuple[Callable[[np.random.Generator, ImageDraw.ImageDraw, tuple[int, int, int, int]], None], ...] = (
    _lines, _bars, _points, _boxes,
)  # fmt: skip
