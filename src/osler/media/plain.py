"""Plain files: pictures that every reader shows as `decode_image` does."""

import io

import numpy as np
from PIL import Image

from osler.media.image import decode_image, encode_png8
from osler.schema.media import MediaRef

_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg"}


def plain_file(data: bytes, ref: MediaRef | None = None) -> tuple[bytes, str]:
    """The file and its media type: as it is where no reader can but show it as it is meant; else drawn anew as a PNG.

    Drawn anew are what has an intensity window, more than 8 bits, a palette, transparency or a note to be turned.

    Raises:
        InputError: as `osler.media.image.open_picture`, where it has to be drawn anew.
    """
    if (ref is None or ref.window is None) and (media_type := plain_type(data)):
        return data, media_type
    pixels = decode_image(data, ref)
    gray = bool((pixels == pixels[:, :, :1]).all())
    return encode_png8(np.ascontiguousarray(pixels[:, :, 0] if gray else pixels)), "image/png"


def plain_type(data: bytes) -> str:
    """The media type of a PNG or JPEG file of plain 8-bit gray or RGB; "" for any other. Decodes no pixel."""
    try:
        with Image.open(io.BytesIO(data), formats=list(_AS_THEY_ARE)) as picture:
            is_plain = picture.mode in {"L", "RGB"} and "transparency" not in picture.info and not picture.getexif()
            is_deep = picture.format == "PNG" and data[24] != 8
            return _AS_THEY_ARE.get(str(picture.format), "") if is_plain and not is_deep else ""
    except (OSError, SyntaxError, ValueError):
        return ""
