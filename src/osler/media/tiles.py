"""Tiles: an image of any shape as a grid of square tiles and, where there are several, a thumbnail of the whole.

The rule is InternVL's dynamic tiling (InternVL 1.5, arXiv:2404.16821, section 3.3). Results are equal to those of
transformers' GotOcr2ImageProcessorPil with `crop_to_patches=True`, but stay uint8, a quarter of float32's bytes.

Nearly all of the time is PIL's resampling, which lets go of Python's lock: threads of one process share it.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import numpy as np
from PIL import Image

from osler.core.errors import InputError

_PROBE_PX = 32
_MOST_THREADS = 2

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@lru_cache(maxsize=4096)
def tile_grid(
    width: int, height: int, *, tile_px: int, min_tiles: int = 1, max_tiles: int = 12, max_upscale: float | None = None
) -> tuple[int, int]:
    """The number of tile columns and rows for an image of `width` x `height` pixels.

    Of all grids with `min_tiles` to `max_tiles` tiles, the one whose aspect ratio is nearest; of grids with the
    same ratio the largest whose area is below twice the image's own. The ratio alone decides, so a small image of
    an odd shape is enlarged: 800 x 600 gets 12 tiles of 336 px.

    Args:
        width: pixels.
        height: pixels.
        tile_px: side of a tile.
        min_tiles: fewest tiles, without the thumbnail.
        max_tiles: most tiles, without the thumbnail.
        max_upscale: leave out grids whose area is above this multiple of the image's area; None leaves out none.
            A grid of `min_tiles` tiles is always allowed.
    """
    if min(width, height, tile_px, min_tiles) < 1 or max_tiles < min_tiles:
        raise InputError(
            f"cannot tile {width} x {height} pixels into {min_tiles} to {max_tiles} tiles of {tile_px} pixels",
            expected="positive numbers, min_tiles <= max_tiles",
        )
    area = width * height
    best, best_distance = (1, 1), float("inf")
    for cols, rows in _grids(min_tiles, max_tiles):
        grid_area = tile_px * tile_px * cols * rows
        if max_upscale is not None and cols * rows > min_tiles and grid_area > max_upscale * area:
            continue
        distance = abs(width / height - cols / rows)
        if distance < best_distance or (distance == best_distance and area > 0.5 * grid_area):
            best, best_distance = (cols, rows), distance
    return best


def num_tiles(
    width: int, height: int, *, tile_px: int, min_tiles: int = 1, max_tiles: int = 12, max_upscale: float | None = None
) -> int:
    """How many tiles an image becomes, with the thumbnail that more than one tile brings."""
    cols, rows = tile_grid(
        width, height, tile_px=tile_px, min_tiles=min_tiles, max_tiles=max_tiles, max_upscale=max_upscale
    )
    return 1 if cols * rows == 1 else cols * rows + 1


def cut_tiles(
    picture: np.ndarray | Image.Image,
    *,
    tile_px: int,
    min_tiles: int = 1,
    max_tiles: int = 12,
    max_upscale: float | None = None,
    threads: int | None = None,
) -> np.ndarray:
    """The tiles of an image, row by row from the top left, the thumbnail last.

    Where the three channels hold the same values, as in a radiograph saved in colour, one is resampled for all: the
    same pixels for a third of the work.

    Args:
        picture: uint8, shape [height, width, 3], or a PIL image of mode L or RGB.
        tile_px: side of a tile; the others as in `tile_grid`.
        min_tiles: see `tile_grid`.
        max_tiles: see `tile_grid`.
        max_upscale: see `tile_grid`.
        threads: how many share the work; None is `default_threads()`. The pixels do not depend on it.

    Returns:
        uint8, shape [num_tiles, 3, tile_px, tile_px].
    """
    threads = _checked(threads)
    picture = _one_channel_if_gray(_picture(picture))
    cols, rows = tile_grid(
        *picture.size, tile_px=tile_px, min_tiles=min_tiles, max_tiles=max_tiles, max_upscale=max_upscale
    )
    num_cells = cols * rows
    tiles = np.empty((num_cells + (num_cells > 1), 3, tile_px, tile_px), np.uint8)
    if num_cells == 1:
        _write_whole(picture, tiles[0])
        return tiles
    cells = tiles[:num_cells].reshape(rows, cols, 3, tile_px, tile_px)
    # As PIL does inside one call: first every row, then every column, rounded to whole values in between.
    with ThreadPoolExecutor(threads) as pool:
        widened = pool.submit(picture.resize, (cols * tile_px, picture.height), Image.Resampling.BICUBIC)
        thumbnail = pool.submit(_write_whole, picture, tiles[-1])
        strips = [pool.submit(_write_column, widened.result(), cells, col) for col in range(cols)]
        for job in (thumbnail, *strips):
            job.result()
    return tiles


def default_threads() -> int:
    """Threads that tiling takes if nobody says: one for each core this process may use, at most two."""
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


def map_pictures(work: Callable[[_In], _Out], pictures: Sequence[_In], *, threads: int | None = None) -> list[_Out]:
    """`work` of each picture, in their order; whole pictures side by side keep threads busier than parts of one.

    Args:
        work: decodes or cuts a picture; whatever else it does must be safe in several threads.
        pictures: what `work` takes, one of each.
        threads: None is `default_threads()`.
    """
    threads = min(_checked(threads), len(pictures))
    if threads <= 1:
        return [work(picture) for picture in pictures]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, pictures))


def _checked(threads: int | None) -> int:
    if threads is not None and threads < 1:
        raise InputError("cannot tile", expected="at least one thread", got=str(threads))
    return default_threads() if threads is None else threads


def _picture(picture: np.ndarray | Image.Image) -> Image.Image:
    if isinstance(picture, Image.Image):
        if picture.mode not in {"L", "RGB"}:
            raise InputError("cannot cut tiles", expected="a picture of mode L or RGB", got=f"mode {picture.mode}")
        return picture
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        got = f"{picture.dtype} {list(picture.shape)}"
        raise InputError("cannot cut tiles", expected="uint8 [H, W, 3]", got=got)
    return Image.fromarray(picture)


def _one_channel_if_gray(picture: Image.Image) -> Image.Image:
    """The red channel of a colour picture in which every pixel is gray, else the picture itself."""
    if picture.mode == "L":
        return picture
    # A few pixels give almost any real colour away before all are compared.
    few = np.asarray(picture.resize((_PROBE_PX, _PROBE_PX), Image.Resampling.NEAREST))
    if (few != few[..., :1]).any():
        return picture
    red, green, blue = picture.split()
    same = red.tobytes() == green.tobytes() == blue.tobytes()
    return red if same else picture


def _write_whole(picture: Image.Image, tile: np.ndarray) -> None:
    """The whole picture into one tile, shape [3, px, px]."""
    px = tile.shape[-1]
    small = picture.resize((px, px), Image.Resampling.BICUBIC)
    tile[:] = _with_channels(small).transpose(2, 0, 1)


def _write_column(widened: Image.Image, cells: np.ndarray, col: int) -> None:
    """One column of `cells`, shape [rows, cols, 3, px, px], from a picture that is as wide as all of them already."""
    rows, px = cells.shape[0], cells.shape[-1]
    strip = widened.crop((col * px, 0, (col + 1) * px, widened.height))
    pixels = _with_channels(strip.resize((px, rows * px), Image.Resampling.BICUBIC))
    cells[:, col] = pixels.reshape(rows, px, px, -1).transpose(0, 3, 1, 2)


def _with_channels(picture: Image.Image) -> np.ndarray:
    """Shape [height, width, channels], also of a gray picture."""
    pixels = np.asarray(picture)
    return pixels if pixels.ndim == 3 else pixels[..., None]


@lru_cache(maxsize=64)
def _grids(min_tiles: int, max_tiles: int) -> tuple[tuple[int, int], ...]:
    """All (cols, rows) of an allowed number of tiles, few tiles first, then few columns."""
    grids = [
        (cols, rows)
        for cols in range(1, max_tiles + 1)
        for rows in range(1, max_tiles // cols + 1)
        if cols * rows >= min_tiles
    ]
    return tuple(sorted(grids, key=lambda grid: grid[0] * grid[1]))
