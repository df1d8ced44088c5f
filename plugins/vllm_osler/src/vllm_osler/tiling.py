"""Pictures to tiles, tiles to tokens: the same code and the same pixels as in training."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from osler.media.tiles import cut_tiles, num_tiles


def tiles(picture: Image.Image, tiling: Mapping[str, Any]) -> np.ndarray:
    """The picture's tiles, uint8 [N, 3, tile_px, tile_px], the thumbnail last.

    Raises:
        ValueError: the picture has more than 8 bits; cutting those off would blind the model.
    """
    if picture.mode.startswith(("I", "F")):
        raise ValueError(f"a picture of mode {picture.mode} must be windowed to 8 bits before it is sent")
    return cut_tiles(picture.convert("RGB"), **tiling)


def num_image_tokens(width: int, height: int, *, tiling: Mapping[str, Any], image_seq_length: int) -> int:
    """Tokens that carry the picture, without those that open and close it."""
    return num_tiles(width, height, **tiling) * image_seq_length


def largest_size(tiling: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of a picture that becomes as many tiles as there can be."""
    return tiling["tile_px"] * tiling["max_tiles"], tiling["tile_px"]
