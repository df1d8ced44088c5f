"""Likeness: whether two small gray pictures, already nearly in place, are one picture. Tells films of one view apart.

A hash of 256 bits sees where lungs and heart lie, which films of the same view share. So of two pictures whose hashes
are near, the second is first laid onto the first by an affine map (Lucas and Kanade's least squares, inverse
compositional: S. Baker, I. Matthews, IJCV 56 (2004)), and then their fine detail is compared block by block. A copy
has the same detail nearly everywhere, an overlaid word or arrow apart; another patient has not.
"""

from functools import cache

import numpy as np
from PIL import Image

SIDE = 96
_BLOCK = 12
_SHARE = 0.25
_FINE, _COARSE = 0.5, 4.0
_NOISE = 1e-4
_SMOOTH, _STILL_PX, _FLATTENED = 1.2, 0.03, 0.1
_COARSE_STEPS, _FINE_STEPS = 12, 4
_UNLIKE = 0.6
_CLEAR = 0.98  # above every threshold, so that laying one onto the other changes no decision
_INSIDE = 0.9
_MIN_BLOCKS = 16


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    """How much of the fine detail two pictures share: 1 for the same, about 0 for unrelated ones.

    It is the correlation that three blocks in four reach or exceed.

    Args:
        first: gray, [height, width].
        second: the same, showing about the same part of the scene.
    """
    still, moving = _square(first), _square(second)
    if (shared := _shared(still, moving, np.eye(3))) > _CLEAR:
        return shared
    place = _aligned(still, moving)
    return 0.0 if place is None else _shared(still, moving, place)


def _shared(still: np.ndarray, moving: np.ndarray, place: np.ndarray) -> float:
    """The likeness where `place` lays one picture onto the other."""
    columns, rows = _mapped(place, SIDE)
    placed = _sampled(moving, columns, rows)
    whole = _blocks(_inside(columns, rows, SIDE)).mean(axis=1) > _INSIDE
    if whole.sum() < _MIN_BLOCKS:
        return 0.0
    one, other = (_blocks(_detail(_standard(picture)))[whole] for picture in (still, placed))
    shared = (one * other).mean(axis=1)
    strength = np.sqrt((one**2).mean(axis=1) * (other**2).mean(axis=1))
    return float(np.quantile(shared / (strength + _NOISE), _SHARE))


def _square(gray: np.ndarray) -> np.ndarray:
    """Resampled to SIDE x SIDE."""
    resample = Image.Resampling.BOX if min(gray.shape) > 2 * SIDE else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(gray).resize((SIDE, SIDE), resample), dtype=np.float32)


def _aligned(still: np.ndarray, moving: np.ndarray) -> np.ndarray | None:
    """The affine map that lays `moving` onto `still`; None where even their shapes do not fit."""
    half = SIDE // 2
    smaller, other = (picture.reshape(half, 2, half, 2).mean(axis=(1, 3)) for picture in (still, moving))
    place = _settled(smaller, other, np.eye(3), max_steps=_COARSE_STEPS)
    laid = _standard(_sampled(other, *_mapped(place, half)))
    if (laid * _standard(smaller)).mean() < _UNLIKE:
        return None
    return _settled(still, moving, place, max_steps=_FINE_STEPS)


def _settled(still: np.ndarray, moving: np.ndarray, place: np.ndarray, *, max_steps: int) -> np.ndarray:
    """The affine map `place`, in sides from the centre, improved so that `moving` lies on `still`."""
    side = len(still)
    blur = _blur(_SMOOTH, side)
    still, moving = _standard(blur @ still @ blur.T), blur @ moving @ blur.T
    down, across = np.gradient(still)
    x, y = _grid(side)
    slopes = np.stack([across * x, across * y, across, down * x, down * y, down]).reshape(6, -1)
    gain = np.linalg.inv(slopes @ slopes.T + 1e-3 * np.eye(6, dtype=np.float32)) @ slopes
    for _ in range(max_steps):
        columns, rows = _mapped(place, side)
        error = _standard(_sampled(moving, columns, rows)) - still
        # Where the two differ by more than a standard deviation, an overlay is likelier than a shift.
        step = gain @ (np.clip(error, -1, 1) * _inside(columns, rows, side)).ravel()
        change = np.eye(3)
        change[:2] += step.reshape(2, 3) / side
        if abs(np.linalg.det(change)) < _FLATTENED:
            break
        place = place @ np.linalg.inv(change)
        if np.abs(step).max() < _STILL_PX:
            break
    return place


def _mapped(place: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = _grid(side)
    to_px = (side * place[:2]).astype(np.float32)
    half = np.float32((side - 1) / 2)
    columns, rows = (line[0] * x + line[1] * y + (line[2] + half) for line in to_px)
    return columns, rows


def _inside(columns: np.ndarray, rows: np.ndarray, side: int) -> np.ndarray:
    return (columns >= 0) & (columns <= side - 1) & (rows >= 0) & (rows <= side - 1)


def _sampled(picture: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    side = len(picture)
    last = np.float32(side - 1.001)
    columns, rows = np.clip(columns, 0, last), np.clip(rows, 0, last)
    left, top = columns.astype(np.int32), rows.astype(np.int32)
    right_part, low_part = columns - left, rows - top
    at = top * side + left
    flat = picture.ravel()
    first, second = flat.take(at), flat.take(at + side)
    upper = first + (flat.take(at + 1) - first) * right_part
    lower = second + (flat.take(at + side + 1) - second) * right_part
    return upper + (lower - upper) * low_part


def _detail(picture: np.ndarray) -> np.ndarray:
    fine, coarse = _blur(_FINE, SIDE), _blur(_COARSE, SIDE)
    return fine @ picture @ fine.T - coarse @ picture @ coarse.T


def _standard(picture: np.ndarray) -> np.ndarray:
    return (picture - picture.mean()) / (picture.std() + 1e-6)


def _blocks(picture: np.ndarray) -> np.ndarray:
    num = SIDE // _BLOCK
    return picture.reshape(num, _BLOCK, num, _BLOCK).swapaxes(1, 2).reshape(num * num, _BLOCK * _BLOCK)


@cache
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows from the centre, in sides."""
    steps = ((np.arange(side) - (side - 1) / 2) / side).astype(np.float32)
    x, y = np.meshgrid(steps, steps)
    return x, y


@cache
def _blur(sigma_px: float, side: int) -> np.ndarray:
    """The matrix of a Gaussian blur of rows, with the edge mirrored. Shape [side, side], float32."""
    reach = int(4 * sigma_px + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma_px) ** 2)
    weights /= weights.sum()
    matrix = np.zeros((side, side))
    for row in range(side):
        columns = np.abs(row + offsets + 0.5) - 0.5
        columns = np.where(columns > side - 1, 2 * side - 1 - columns, columns).astype(np.int64)
        np.add.at(matrix[row], columns, weights)
    return matrix.astype(np.float32)
