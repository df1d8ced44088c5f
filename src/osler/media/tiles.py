"""Tiles: an image of any shape as a grid of square tiles and, where there are several, a thumbnail of the whole.

The rule is InternVL's dynamic tiling (InternVL 1.5, arXiv:2404.16821, section 3.3). Results are equal to those of
transformers' GotOcr2ImageProcessorPil with `crop_to_patches=True`, but stay uint8, a quarter of float32's bytes.
"""

from functools import lru_cache

import numpy as np
from PIL import Image

from osler.core.errors import InputError

_PROBE_PX = 32


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

    Returns:
        uint8, shape [num_tiles, 3, tile_px, tile_px].
    """
    picture = _one_channel_if_gray(_picture(picture))
    cols, rows = tile_grid(
        *picture.size, tile_px=tile_px, min_tiles=min_tiles, max_tiles=max_tiles, max_upscale=max_upscale
    )
    num_cells = cols * rows
    tiles = np.empty((num_cells + (num_cells > 1), 3, tile_px, tile_px), np.uint8)
    cells = tiles[:num_cells].reshape(rows, cols, 3, tile_px, tile_px)
    whole = _resized(picture, cols * tile_px, rows * tile_px)
    cells[:] = whole.reshape(rows, tile_px, cols, tile_px, -1).transpose(0, 2, 4, 1, 3)
    if num_cells > 1:
        tiles[-1] = _resized(picture, tile_px, tile_px).transpose(2, 0, 1)
    return tiles


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


def _resized(picture: Image.Image, width: int, height: int) -> np.ndarray:
    """Shape [height, width, channels]; PIL returns a picture of that size already as it is."""
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
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
