"""Pictures of cases as data URIs, bounded in size each and all together."""

import base64
import io
from html import escape
from pathlib import Path

from PIL import Image

from osler.core.errors import InputError
from osler.core.files import existing_file

_MIME = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


class Pictures:
    """Makes `<img>` elements until `max_bytes` of page are used; after that it says that a picture is left out.

    max_px: a picture whose longer side is longer is made smaller; another one is shown byte by byte as it is.
    """

    def __init__(self, *, max_px: int, max_bytes: int) -> None:
        self._max_px = max_px
        self._left = max_bytes
        self.num_left_out = 0

    def element(self, path: Path, alt: str) -> str:
        """The picture with words for those who do not see it. Raises InputError where it cannot be read."""
        data, mime = self._read(existing_file(path))
        words = base64.b64encode(data).decode("ascii")
        if len(words) > self._left:
            self.num_left_out += 1
            return f'<p class="absent">{escape(alt)}: left out, the page holds as many pictures as it may</p>'
        self._left -= len(words)
        return f'<img alt="{escape(alt)}" src="data:{mime};base64,{words}">'

    def _read(self, path: Path) -> tuple[bytes, str]:
        data, mime = path.read_bytes(), _MIME.get(path.suffix.lower())
        if mime is None:
            raise InputError(f"cannot show {path}", expected=", ".join(_MIME), got=path.suffix or "no ending")
        try:
            with Image.open(io.BytesIO(data)) as picture:
                if max(picture.size) <= self._max_px:
                    return data, mime
                picture.thumbnail((self._max_px, self._max_px), Image.Resampling.LANCZOS)
                out = io.BytesIO()
                picture.save(out, format="PNG" if mime == "image/png" else "JPEG")
        except (OSError, ValueError) as error:
            raise InputError(f"{path} is no picture: {error}", fix="Run osler eval again.") from error
        return out.getvalue(), mime
