"""Screen: signs that a picture shows a computer's screen, or a person who talks, by rules that need no weights."""

from dataclasses import dataclass

import numpy as np

from osler.media.quality import shrunk

_SIDE_PX = 1024
_LINE_STEP = 12
_LINE_SHARE = 0.5
_FLAT_STEP = 1
_BLACK, _WHITE = 12, 250
_BAR_SHARE = 0.15
_BAR_EVEN = 0.4
_MIN_BAR_PX = 8


@dataclass(frozen=True)
class ScreenSigns:
    """What speaks for a screen.

    num_lines: straight horizontal and vertical edges, exactly along rows or columns, over half of the picture.
    flat_share: the part of the picture that is perfectly even and not black.
    num_bars: even strips along the top and bottom edge, neither black nor white, that end in such a line: title, menu
        and task bars.
    """

    num_lines: int
    flat_share: float
    num_bars: int


def screen_signs(gray: np.ndarray) -> ScreenSigns:
    """The signs in a picture, uint8 [height, width]."""
    pixels = shrunk(gray, _SIDE_PX).astype(np.int16)
    if min(pixels.shape) < 2 * _MIN_BAR_PX:
        return ScreenSigns(0, 0.0, 0)
    down, across = np.diff(pixels, axis=0), np.diff(pixels, axis=1)
    rows, columns = _lines(down, axis=1), _lines(across, axis=0)
    is_even = (np.abs(down[:, :-1]) <= _FLAT_STEP) & (np.abs(across[:-1]) <= _FLAT_STEP)
    is_flat = is_even & (pixels[:-1, :-1] > _BLACK)
    height = pixels.shape[0]
    bars = _is_bar(pixels, rows[rows < _BAR_SHARE * height]) + _is_bar(
        pixels[::-1], (height - 2 - rows[rows >= (1 - _BAR_SHARE) * height])[::-1]
    )
    return ScreenSigns(_num_separate(rows) + _num_separate(columns), float(_in_patches(is_flat).mean()), bars)


def corner_skin_share(rgb: np.ndarray) -> float:
    """How much of the most skin-coloured corner is skin, where the rest of the picture is not; 0 to 1.

    A heuristic for a narrator shown small in a corner of a video frame. Skin is Cb 77 to 127 and Cr 133 to 173 (Chai
    and Ngan 1999, IEEE Trans. CSVT 9:551). A corner is 30 % of the width and 40 % of the height. Where more than
    a tenth of what lies outside that corner has the colour too, the picture is of tissue or of a person: 0.
    """
    is_skin = _skin(rgb[:: max(rgb.shape[0] // 256, 1), :: max(rgb.shape[1] // 256, 1)])
    height, width = is_skin.shape
    tall, wide = max(round(0.4 * height), 1), max(round(0.3 * width), 1)
    best, rest = 0.0, 1.0
    for rows in (slice(0, tall), slice(height - tall, height)):
        for columns in (slice(0, wide), slice(width - wide, width)):
            inside = is_skin[rows, columns]
            share = float(inside.mean())
            if share > best:
                best = share
                rest = (is_skin.sum() - inside.sum()) / max(is_skin.size - inside.size, 1)
    return best if rest <= 0.1 else 0.0


def _skin(rgb: np.ndarray) -> np.ndarray:
    red, green, blue = (rgb[..., channel].astype(np.float32) for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    cb, cr = 128 + 0.564 * (blue - luma), 128 + 0.713 * (red - luma)
    return np.asarray((cb >= 77) & (cb <= 127) & (cr >= 133) & (cr <= 173) & (luma > 40))


def _lines(steps: np.ndarray, *, axis: int) -> np.ndarray:
    """The rows (or columns) at which at least half of the pixels step in the same direction."""
    share = np.maximum((steps >= _LINE_STEP).mean(axis=axis), (steps <= -_LINE_STEP).mean(axis=axis))
    return np.flatnonzero(share >= _LINE_SHARE)


def _num_separate(places: np.ndarray) -> int:
    """How many groups of neighbouring places: the two sides of a line of one pixel are one."""
    return int(len(places) > 0) + int((np.diff(places) > 2).sum())


def _in_patches(flags: np.ndarray) -> np.ndarray:
    """The 8 x 8 cells that are set throughout."""
    height, width = (length // 8 * 8 for length in flags.shape)
    return np.asarray(flags[:height, :width].reshape(height // 8, 8, width // 8, 8).all(axis=(1, 3)))


def _is_bar(pixels: np.ndarray, lines: np.ndarray) -> int:
    """1 where the strip from the top edge down to one of `lines` is mostly of one value, not black and not white."""
    for line in lines[lines >= _MIN_BAR_PX - 1]:
        values = np.clip(pixels[: line + 1], 0, 255).ravel()
        counts = np.bincount(values, minlength=256)
        value = int(counts.argmax())
        near = counts[max(value - 2, 0) : value + 3].sum()
        if _BLACK < value < _WHITE and near >= _BAR_EVEN * values.size:
            return 1
    return 0
