"""Pictures as every encoder is shown them: one rule of resizing and of channels, whatever the file's form.

What `media.image` says of channels holds: gray of 8 bits becomes three equal channels, gray of more bits is windowed
(by the set's window, else over all that its bits can hold), a palette becomes its colours, CMYK becomes RGB, and what
is transparent lies on white.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import numpy as np
from PIL import Image
from pydantic import Field, PositiveInt

from osler.core.config import Config
from osler.core.errors import InputError
from osler.media.image import DEEP_MODES, load_picture, open_picture
from osler.media.window import full_range, spanning
from osler.schema.media import Window

_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}


class ResizeConfig(Config):
    """How a picture becomes a square.

    rule: `letterbox` keeps the shape and fills the rest with `fill_gray`, `stretch` does not keep it, `crop` keeps the
        middle square.
    image_px: the square's side; None takes each encoder's own, and a number refuses encoders of another size.
    deep_gray: how gray of more than 8 bits without a window is shown: over all values that its bits can hold, or from
        its own lowest to its own highest value.
    """

    version: Literal[1] = 1
    rule: Literal["letterbox", "stretch", "crop"] = "letterbox"
    interpolation: Literal["bicubic", "bilinear", "lanczos"] = "bicubic"
    fill_gray: Annotated[int, Field(ge=0, le=255)] = 0
    image_px: PositiveInt | None = None
    deep_gray: Literal["full_range", "own_range"] = "full_range"


class Shows(Protocol):
    """How an image file becomes a square of `image_px`: `Resize`, or what stands in its place."""

    @property
    def image_px(self) -> int:
        """The square's side."""

    @property
    def deep_gray(self) -> str:
        """See `ResizeConfig`."""

    def __call__(self, data: bytes, window: Window | None = None) -> np.ndarray:
        """The pixels of an image file. uint8, shape [image_px, image_px, 3]."""

    def square(self, picture: Image.Image) -> Image.Image:
        """An RGB picture as a square of this size."""


@dataclass(frozen=True)
class Resize:
    """The rule for squares of `image_px`, with the meaning of `ResizeConfig`'s fields."""

    rule: str
    interpolation: str
    fill_gray: int
    image_px: int
    deep_gray: str

    def __call__(self, data: bytes, window: Window | None = None) -> np.ndarray:
        """The pixels of an image file. uint8, shape [image_px, image_px, 3]. Raises InputError as `open_picture`."""
        return np.asarray(self.square(shown_picture(data, window, deep_gray=self.deep_gray).convert("RGB")))

    def square(self, picture: Image.Image) -> Image.Image:
        """An RGB picture as a square of this size."""
        side, method = self.image_px, _FILTERS[self.interpolation]
        width, height = picture.size
        if self.rule == "crop":
            short = min(width, height)
            left, top = (width - short) // 2, (height - short) // 2
            return picture.crop((left, top, left + short, top + short)).resize((side, side), method)
        if self.rule == "stretch" or width == height:
            return picture.resize((side, side), method)
        scale = side / max(width, height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        ground = Image.new("RGB", (side, side), (self.fill_gray,) * 3)
        ground.paste(picture.resize(inner, method), ((side - inner[0]) // 2, (side - inner[1]) // 2))
        return ground


def shown_picture(data: bytes, window: Window | None, *, deep_gray: str) -> Image.Image:
    """An image file as it is to be seen, decoded. Raises InputError where there is no such picture."""
    if window is None:
        window = _own_window(data, deep_gray)
    return open_picture(data, window)


def make_resize(config: ResizeConfig, encoder: str, encoder_px: int) -> Resize:
    """The rule for one encoder. Raises InputError where it wants another size than the protocol's."""
    if config.image_px is not None and config.image_px != encoder_px:
        raise InputError(
            f"encoder {encoder!r} takes images of another size than the protocol shows",
            expected=f"{config.image_px} px, as protocol.resize.image_px says",
            got=f"{encoder_px} px",
            fix="Leave the encoder out, or set protocol.resize.image_px to null: each encoder is then shown its own "
            "size, under another protocol hash.",
        )
    return Resize(config.rule, config.interpolation, config.fill_gray, encoder_px, config.deep_gray)


def _own_window(data: bytes, deep_gray: str) -> Window | None:
    """The window of deep gray that came without one; None for any other picture."""
    picture = load_picture(data)
    if picture.mode not in DEEP_MODES:
        return None
    bits = DEEP_MODES[picture.mode]
    if deep_gray == "full_range" and bits == 16:
        return full_range(bits)
    low, high = picture.getextrema()
    return spanning(float(low), float(high))
