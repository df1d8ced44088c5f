"""Pictures as a model is shown them."""

import io

from PIL import Image

from osler.endpoint.chat import Picture
from osler.media.image import image_facts, open_picture
from osler.schema.media import MediaRef

_TYPES = {"png": "image/png", "jpg": "image/jpeg"}
_QUALITY = 90


def shown_picture(data: bytes, ref: MediaRef, *, max_side_px: int) -> Picture:
    """An image for a question: the file itself where it is small, 8-bit PNG or JPEG, else a JPEG of it made smaller.

    Args:
        data: the file's bytes.
        ref: what is said about it; its window applies.
        max_side_px: of the longer side.

    Raises:
        InputError: it cannot be decoded to its last pixel.
    """
    facts, picture = image_facts(data), open_picture(data, ref)
    media_type = _TYPES.get(facts.suffix)
    if media_type and facts.bits <= 8 and ref.window is None and max(picture.size) <= max_side_px:
        return Picture(data, media_type)
    picture.thumbnail((max_side_px, max_side_px), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, format="JPEG", quality=_QUALITY)
    return Picture(out.getvalue(), "image/jpeg")
