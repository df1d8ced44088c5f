"""Contact sheet: one test image under every corruption at every severity, for the report."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from osler.core.files import atomic_write
from osler.transfer.robustness import Condition

FOLDER = "sheets"
_TILE = 72
_NAME_WIDTH = 130
_GAP = 2
_QUALITY = 80


def write_sheet(path: Path, conditions: Sequence[Condition], picture: Callable[[Condition], np.ndarray]) -> None:
    """Write a JPEG with a row a corruption and a column a severity, the clean image first.

    Args:
        path: of the file.
        conditions: CLEAN first; corruptions in the order in which they are shown.
        picture: the pixels of a condition, uint8 [H, W, 3].
    """
    names = list(dict.fromkeys(name for name, _ in conditions if name))
    severities = sorted({severity for _, severity in conditions if severity})
    step = _TILE + _GAP
    sheet = Image.new("RGB", (_NAME_WIDTH + step * (1 + len(severities)), step * len(names)), "white")
    pen = ImageDraw.Draw(sheet)
    clean = _tile(picture(conditions[0]))
    for row, name in enumerate(names):
        pen.text((4, row * step + _TILE // 2 - 6), name.replace("_", " "), fill="black")
        sheet.paste(clean, (_NAME_WIDTH, row * step))
        for column, severity in enumerate(severities, start=1):
            sheet.paste(_tile(picture((name, severity))), (_NAME_WIDTH + column * step, row * step))
    held = io.BytesIO()
    sheet.save(held, format="JPEG", quality=_QUALITY)
    with atomic_write(path) as file:
        file.write(held.getvalue())


def _tile(pixels: np.ndarray) -> Image.Image:
    """The picture within a square, its shape kept."""
    picture = Image.fromarray(pixels)
    picture.thumbnail((_TILE, _TILE), Image.Resampling.BICUBIC)
    tile = Image.new("RGB", (_TILE, _TILE), "white")
    tile.paste(picture, ((_TILE - picture.width) // 2, (_TILE - picture.height) // 2))
    return tile
