"""Images: bytes to pixels and back, without a silent loss on the way."""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from osler.core.errors import InputError
from osler.media.window import apply_window
from osler.schema.media import MediaRef, Window

DEEP_MODES = {"I;16": 16, "I;16B": 16, "I;16L": 16, "I;16N": 16, "I": 32, "F": 32}
"""PIL's modes of gray with more than 8 bits, and how many those are."""
PNG_HEADER_BYTES = 26
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_GRAY = 0
_SUFFIX = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
# A JPEG that holds a second view calls itself MPO once it is open; no reader goes by that name.
_READERS = [name for name in _SUFFIX if name != "MPO"]
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, KeyError, struct.error, zlib.error)
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class ImageFacts:
    """What an image's header says: size as shown (after EXIF orientation), bits per channel, file suffix."""

    width: int
    height: int
    bits: int
    suffix: str


@dataclass(frozen=True)
class PngHeader:
    """What the header of a PNG file says: size in pixels as stored, bits per channel, gray without transparency."""

    width: int
    height: int
    bits: int
    is_gray: bool


def decode_image(data: bytes, shown_as: MediaRef | Window | None = None) -> np.ndarray:
    """The pixels of an image file as they are to be seen: `open_picture` as an array.

    Returns:
        uint8, shape [height, width, 3]; gray is three equal channels.

    Raises:
        InputError: as `open_picture`.
    """
    picture = open_picture(data, shown_as)
    return np.asarray(picture) if picture.mode == "RGB" else _three_channels(np.asarray(picture))


def open_picture(data: bytes, shown_as: MediaRef | Window | None = None) -> Image.Image:
    """An image file as it is to be seen, decoded: mode L where the file is gray, else RGB.

    EXIF orientation is applied, a palette becomes its colours, CMYK becomes RGB, and what is transparent lies on
    white. Gray of more than 8 bits is windowed, never clipped; a window on 8-bit gray is applied too.

    Args:
        data: the file's bytes: PNG, JPEG, WebP, GIF, BMP or TIFF with one frame.
        shown_as: the window, or the media reference that holds it.

    Raises:
        InputError: truncated or damaged file, no image at all, more than one frame, more pixels than PIL accepts;
            more than 8 bits without a window; a window on colour; 16-bit colour.
    """
    window = shown_as.window if isinstance(shown_as, MediaRef) else shown_as
    name = f" {shown_as.path!r}" if isinstance(shown_as, MediaRef) else ""
    picture = _load(data, name)
    if picture.mode in DEEP_MODES:
        if window is None:
            raise InputError(
                f"image{name} stores {DEEP_MODES[picture.mode]} bits per pixel and has no window",
                expected="a window in its media reference",
                fix="Give the acquisition's window, or full_range(bits) to show all stored values.",
            )
        return Image.fromarray(apply_window(np.asarray(picture), window))
    if window is not None and picture.mode not in {"1", "L"}:
        raise InputError(f"image{name} is in colour ({picture.mode}) and has an intensity window", fix="Remove one.")
    if picture.mode in {"1", "L"} and "transparency" not in picture.info:
        gray = picture.convert("L")
        return gray if window is None else Image.fromarray(apply_window(np.asarray(gray), window))
    return _on_white(picture)


def load_picture(data: bytes) -> Image.Image:
    """An image file decoded, as it is stored but turned as its EXIF says. Raises InputError as `check_image`."""
    return _load(data, "")


def check_image(data: bytes) -> None:
    """Decode every pixel and forget them. Raises InputError where `decode_image` could not read the file."""
    _load(data, "")


def image_facts(data: bytes) -> ImageFacts:
    """What the header says, without decoding a pixel. Raises InputError where there is no readable header."""
    header = png_header(data)
    if header and len(data) > 33 and b"eXIf" not in data:
        return ImageFacts(header.width, header.height, header.bits, "png")
    picture = _open(data, "")
    width, height = picture.size
    if picture.getexif().get(_EXIF_ORIENTATION, 1) >= 5:
        width, height = height, width
    return ImageFacts(width, height, _bits(picture, data), _SUFFIX[str(picture.format)])


def png_header(data: bytes) -> PngHeader | None:
    """The header of a PNG file, of which the first `PNG_HEADER_BYTES` suffice; None where the bytes are no such."""
    if len(data) < PNG_HEADER_BYTES or not data.startswith(_PNG) or data[12:16] != b"IHDR":
        return None
    width, height, bits, colour = struct.unpack(">IIBB", data[16:PNG_HEADER_BYTES])
    return PngHeader(width, height, bits, colour == _PNG_GRAY)


def encode_png8(pixels: np.ndarray, *, level: int = 6) -> bytes:
    """A PNG of uint8 pixels, shape [height, width] (gray) or [height, width, 3] (RGB)."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise InputError("cannot write an 8-bit PNG", expected="uint8 [H, W] or [H, W, 3]", got=_shape(pixels))
    return _encode(Image.fromarray(pixels), level)


def encode_png16(pixels: np.ndarray, *, level: int = 6) -> bytes:
    """A 16-bit gray PNG of uint16 pixels, shape [height, width]; stored values are kept as they are."""
    if pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise InputError("cannot write a 16-bit PNG", expected="uint16 [H, W]", got=_shape(pixels))
    return _encode(Image.fromarray(pixels), level)


def _load(data: bytes, name: str) -> Image.Image:
    """The decoded image, turned as its EXIF says."""
    picture = _open(data, name)
    bits = _bits(picture, data)
    if bits > 8 and picture.mode not in DEEP_MODES:
        raise InputError(f"image{name} stores {bits}-bit colour", expected="8 bits per channel or gray")
    try:
        picture.load()
        return ImageOps.exif_transpose(picture)
    except _BROKEN as error:
        raise InputError(f"image{name} is truncated or damaged: {error}") from error


def _open(data: bytes, name: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data), formats=_READERS)
        frames = 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"image{name} is too large: {error}") from error
    except UnidentifiedImageError as error:
        kinds = ", ".join(sorted(set(_SUFFIX.values())))
        got = f"{len(data)} bytes that begin {data[:8]!r}"
        raise InputError(f"image{name} is no image file", expected=kinds, got=got) from error
    except _BROKEN as error:
        raise InputError(f"image{name} is truncated or damaged: {error}") from error
    if frames != 1:
        raise InputError(f"image{name} holds {frames} frames", expected="one")
    return picture


def _bits(picture: Image.Image, data: bytes) -> int:
    if picture.format == "PNG":
        return data[24]
    if picture.format == "TIFF":
        stored = picture.tag_v2.get(258, (8,))
        return int(max(stored)) if isinstance(stored, tuple) else int(stored)
    return DEEP_MODES.get(picture.mode, 8)


def _on_white(picture: Image.Image) -> Image.Image:
    """RGB; figures with a transparent ground are drawn to be read on white paper."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    ground = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, layer).convert("RGB")


def _three_channels(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[:, :, None], 3, axis=2)


def _encode(picture: Image.Image, level: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, format="PNG", compress_level=level)
    return out.getvalue()


def _shape(pixels: np.ndarray) -> str:
    return f"{pixels.dtype} {list(pixels.shape)}"
