"""Corrupted pictures as encoders are shown them: decoded, reduced to one size for all, corrupted, then resized."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from osler.core.files import sha256_bytes
from osler.schema.media import Window
from osler.transfer.corruption import corrupt
from osler.transfer.resize import Shows, shown_picture


@dataclass(frozen=True)
class CorruptedResize:
    """In the place of a `Resize`: the same squares, of corrupted pictures.

    Args:
        resize: of the encoder.
        picture_px: the longer side to which pictures are reduced before; smaller ones stay as they are.
        corruption: its name; "" for the clean picture, which is only reduced.
        severity: 1 to 5; 0 for the clean picture.
        seed: of what the corruption draws; the file's hash names the picture, so every encoder sees the same.
    """

    resize: Shows
    picture_px: int
    corruption: str
    severity: int
    seed: int

    @property
    def image_px(self) -> int:
        """The side of the encoder's square."""
        return self.resize.image_px

    @property
    def deep_gray(self) -> str:
        """As the encoder's own resize says."""
        return self.resize.deep_gray

    def square(self, picture: Image.Image) -> Image.Image:
        """An RGB picture as the encoder's square, as it is."""
        return self.resize.square(picture)

    def __call__(self, data: bytes, window: Window | None = None) -> np.ndarray:
        """The pixels of an image file. uint8, shape [image_px, image_px, 3]."""
        pixels = self.picture(data, window)
        return np.asarray(self.square(Image.fromarray(pixels)))

    def picture(self, data: bytes, window: Window | None = None) -> np.ndarray:
        """The corrupted picture before it is made a square. uint8, shape [height, width, 3]."""
        pixels = reduced(data, window, picture_px=self.picture_px, deep_gray=self.deep_gray)
        if not self.corruption:
            return pixels
        return corrupt(pixels, self.corruption, self.severity, seed=self.seed, image_id=sha256_bytes(data))


def reduced(data: bytes, window: Window | None, *, picture_px: int, deep_gray: str) -> np.ndarray:
    """A picture with its longer side at most `picture_px`. uint8, shape [height, width, 3]; never below 8 pixels."""
    picture = shown_picture(data, window, deep_gray=deep_gray).convert("RGB")
    scale = picture_px / max(picture.size)
    if scale < 1:
        width, height = (max(8, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=None)
    if min(picture.size) < 8:
        picture = picture.resize(tuple(max(8, side) for side in picture.size), Image.Resampling.BICUBIC)
    return np.asarray(picture)
