"""Where panels lie on a sheet: grids, and sheets cut in two again and again into panels of mixed sizes."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Rect = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 are the first column and row outside."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of `width` x `height` pixels and its cells in reading order of their making."""

    width: int
    height: int
    cells: tuple[Rect, ...]


def grid(rng: np.random.Generator, *, gutter: int, margin: int) -> Sheet:
    """1 to 4 columns by 1 to 4 rows, 2 to 12 cells; columns are of one width more often than not, rows as well."""
    columns, rows = 1, 1
    while not 2 <= columns * rows <= 12:
        columns, rows = (int(n) for n in rng.integers(1, 5, 2))
    base = int(np.clip(rng.uniform(650, 1100) / max(columns, rows), 140, 420))
    aspect = rng.uniform(0.75, 1.3)
    widths, heights = _sides(rng, columns, base), _sides(rng, rows, int(base * aspect))
    lefts, tops = _starts(widths, margin, gutter), _starts(heights, margin, gutter)
    across = list(zip(lefts, widths, strict=True))
    cells = [(x, y, x + w, y + h) for y, h in zip(tops, heights, strict=True) for x, w in across]
    return Sheet(lefts[-1] + widths[-1] + margin, tops[-1] + heights[-1] + margin, tuple(cells))


def nested(rng: np.random.Generator, *, gutter: int, margin: int) -> Sheet:
    """A sheet cut in two again and again: 2 to 9 cells of mixed sizes, none thinner than 110 pixels."""
    width, height = (int(n) for n in rng.integers(620, 1100, 2))
    cells: list[Rect] = [(margin, margin, width - margin, height - margin)]
    for _ in range(int(rng.integers(1, 9))):
        areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in cells]
        number = int(np.argmax(areas)) if rng.random() < 0.7 else int(rng.integers(len(cells)))
        halves = _halved(rng, cells[number], gutter)
        cells[number : number + 1] = halves
    if len(cells) < 2:
        return nested(rng, gutter=gutter, margin=margin)
    return Sheet(width, height, tuple(cells))


def one(rng: np.random.Generator) -> Sheet:
    """A sheet that is one panel."""
    width, height = (int(n) for n in rng.integers(320, 900, 2))
    return Sheet(width, height, ((0, 0, width, height),))


def _sides(rng: np.random.Generator, num: int, base: int) -> list[int]:
    if rng.random() < 0.65:
        return [base] * num
    return [int(base * scale) for scale in rng.uniform(0.6, 1.6, num)]


def _starts(sides: list[int], margin: int, gutter: int) -> list[int]:
    return [margin + sum(sides[:number]) + number * gutter for number in range(len(sides))]


def _halved(rng: np.random.Generator, cell: Rect, gutter: int) -> list[Rect]:
    x0, y0, x1, y1 = cell
    upright: Literal[0, 1] = 0 if x1 - x0 > y1 - y0 else 1
    low, high = (x0, x1) if upright == 0 else (y0, y1)
    cut = low + int((high - low) * rng.uniform(0.3, 0.7))
    if min(cut - low, high - cut - gutter) < 110:
        return [cell]
    if upright == 0:
        return [(x0, y0, cut, y1), (cut + gutter, y0, x1, y1)]
    return [(x0, y0, x1, cut), (x0, cut + gutter, x1, y1)]
