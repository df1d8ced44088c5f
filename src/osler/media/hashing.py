"""Hashes of what an image shows: the SHA-256 of its pixels, and dHash256, which survives what copying does to it.

dHash256 cuts a gray picture, without its flat borders, into 16 rows of 17 cells; a bit says whether a cell is brighter
than its left neighbour (N. Krawetz's difference hash, with 256 bits in place of 64). Two hashes are compared by the
number of bits in which they differ. Hashes of 64 bits are not offered: at the customary distance of 8 to 10 they take
one pair in eight of unrelated radiographs of the same view for copies.

A copy that was cropped, turned or mirrored has another hash. So an evaluation image, of which there are few, is kept
in all these forms (`variants`), and a training image, of which there are many, is hashed once.
"""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from osler.core.errors import InputError
from osler.media.image import DEEP_MODES, load_picture, open_picture
from osler.media.window import spanning
from osler.schema.media import Window

HASH_BYTES = 32
HASH_PX = 128
_ROWS, _COLS = 16, 17
_ROUNDING = 1e-3
_JPEG = b"\xff\xd8\xff"
# A border line is flat if all but its darkest and brightest 3 % lie within so many of 255 gray values: a marker in a
# black margin, or the ringing of a JPEG, does not make it part of the picture.
_FLAT, _TAIL, _MIN_LEFT, _PASSES = 14, 0.03, 0.4, 3
_OTHER_FLATS = (8, 22)
_STEP, _MOST = 0.04, 4
_WHOLE = (0.0, 0.0, 1.0, 1.0)
_TURNS_DEG = (-5.0, -3.75, -2.5, -1.25, 1.25, 2.5, 3.75, 5.0)

Box = tuple[float, float, float, float]
"""Left, top, right and bottom as fractions of width and height."""


Rows = tuple[int, int, int, int]
"""First row, the row after the last, first column, the column after the last."""
Spreads = tuple[np.ndarray, np.ndarray]
"""Of each row, of each column."""
_PROBES: tuple[Box, ...] = tuple(
    (left * share, top * share, 1 - right * share, 1 - bottom * share)
    for share in (0.05, 0.1, 0.15)
    for left, right in ((0, 0), (1, 0), (0, 1), (0.5, 0.5))
    for top, bottom in ((0, 0), (1, 0), (0, 1), (0.5, 0.5))
    if left + right + top + bottom
)
_MAX_BASES, _SLACK = 6, 0.02
_WIDE = 0.9


@dataclass(frozen=True)
class Variants:
    """The forms in which copies of one image are looked for.

    codes: uint8 [variants, 32], the dHash256 of each. forms: gray pictures: as it is, turned, mirrored.
    places: for each variant, which form it was cut from, and where.
    """

    codes: np.ndarray
    forms: tuple[np.ndarray, ...]
    places: tuple[tuple[int, Box], ...]


def pixel_sha256(data: bytes) -> str:
    """The SHA-256 of the decoded pixels: the same for a PNG and a BMP of one picture, and for gray stored as colour.

    Raises:
        InputError: the image cannot be decoded.
    """
    picture = load_picture(data)
    pixels = np.asarray(picture if picture.mode in DEEP_MODES or picture.mode == "L" else open_picture(data))
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    stored = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    return hashlib.sha256(f"{stored.shape} {stored.dtype.str} ".encode() + stored.tobytes()).hexdigest()


def read_gray(data: bytes, *, min_px: int = HASH_PX, window: Window | None = None) -> np.ndarray:
    """An image in gray, made smaller by a whole factor while its shorter side stays at least `min_px`.

    A JPEG is decoded at the smaller size, which takes a fifth of the time. Gray of more than 8 bits is shown through
    `window`, or without one from its lowest to its highest value.

    Returns:
        uint8, shape [height, width].

    Raises:
        InputError: the image cannot be decoded.
    """
    picture = _drafted(data, min_px) or load_picture(data)
    if picture.mode in DEEP_MODES:
        gray = open_picture(data, window or _full_range(picture))
    else:
        gray = picture if picture.mode == "L" else open_picture(data, window).convert("L")
    factor = min(gray.size) // min_px
    return np.asarray(gray.reduce(factor) if factor > 1 else gray)


def dhash256(data: bytes, *, window: Window | None = None) -> bytes:
    """The dHash256 of an image file: 32 bytes. Raises InputError where it cannot be decoded."""
    return gray_hash(read_gray(data, window=window))


def gray_hash(gray: np.ndarray) -> bytes:
    """The dHash256 of a gray picture, uint8 [height, width]."""
    return _codes(without_border(gray), (_WHOLE,))[0].tobytes()


def without_border(gray: np.ndarray) -> np.ndarray:
    """The picture without flat lines at its edges, unless that leaves less than 40 % of its height or width."""
    return _cut(gray, _inner(gray))


def read_content(data: bytes, *, window: Window | None = None) -> np.ndarray:
    """An image in gray without its border: what `likeness` compares. Where the border was wide, in finer pixels.

    The border is the one that `dhash256` takes off, so that the two see the same.
    """
    gray = read_gray(data, window=window)
    rows = _inner(gray)
    content = _cut(gray, rows)
    if min(content.shape) >= min(gray.shape) * _WIDE:
        return content
    height, width = gray.shape
    finer = read_gray(data, min_px=2 * HASH_PX, window=window)
    return part(finer, (rows[2] / width, rows[0] / height, rows[3] / width, rows[1] / height))


def border_forms(gray: np.ndarray) -> list[np.ndarray]:
    """The picture without its border, first as `dhash256` sees it; where the border is not clear, in other ways too.

    Noise, compression and a mark in the margin may move the border by a few lines, and with it every bit of a hash.
    """
    spreads = _spreads(gray)
    rows = [
        *(_inner(gray, flat, spreads=spreads) for flat in (_FLAT, *_OTHER_FLATS)),
        (0, gray.shape[0], 0, gray.shape[1]),
    ]
    return [_cut(gray, inner) for inner in dict.fromkeys(rows)]


def border_hashes(data: bytes) -> bytes:
    """The dHash256 of each form of an image file without its border, 32 bytes each; the first is `dhash256`.

    Raises:
        InputError: it cannot be decoded.
    """
    return gray_border_hashes(read_gray(data))


def gray_border_hashes(gray: np.ndarray) -> bytes:
    """The same of a gray picture, uint8 [height, width]."""
    return b"".join(_codes(form, (_WHOLE,))[0].tobytes() for form in border_forms(gray))


def variants(gray: np.ndarray) -> Variants:
    """All forms of an evaluation image, from `read_gray`.

    With and without its border, and as far as its border reaches once a part is cropped away. Each of these is cropped
    by 0, 4, ... 16 % in height and in width, wherever the rest lies, and by a fifth around the centre. With and without
    border it is also mirrored, turned by quarters, and turned by up to 5 degrees.
    """
    bases = [np.ascontiguousarray(_cut(gray, box)) for box in _bases(gray)]
    cut = [(base, crop_boxes()) for base in bases]
    for base in bases[:2]:
        cut += [(turned, (_WHOLE, _around(0.04))) for turned in _quarters(base)]
        cut += [(_tilted(base, angle), (_WHOLE, _around(0.04), _around(0.08))) for angle in _TURNS_DEG]
    return Variants(
        codes=np.concatenate([_codes(form, boxes) for form, boxes in cut]),
        forms=tuple(form for form, _ in cut),
        places=tuple((number, box) for number, (_, boxes) in enumerate(cut) for box in boxes),
    )


def part(gray: np.ndarray, box: Box) -> np.ndarray:
    """The part of a picture in a box, to whole pixels."""
    height, width = gray.shape
    left, top, right, bottom = box
    return gray[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def crop_boxes() -> tuple[Box, ...]:
    """The parts of an image that a variant keeps; the first is all of it."""
    steps = [(low, high) for low in range(_MOST + 1) for high in range(_MOST + 1 - low)]
    boxes = [
        (left * _STEP, top * _STEP, 1 - right * _STEP, 1 - bottom * _STEP)
        for left, right in steps
        for top, bottom in steps
    ]
    return (*boxes, _around(0.2))


def _bases(gray: np.ndarray) -> list[Rows]:
    """What may be left of the picture when a copy's border is taken off: rows and columns from, to."""
    height, width = gray.shape
    found = [_inner(gray), (0, height, 0, width)]
    if found[0] == found[1]:
        found.pop()
    for left, top, right, bottom in _PROBES:
        low, first = round(top * height), round(left * width)
        crop = gray[low : round(bottom * height), first : round(right * width)]
        rows = _inner(crop)
        box = (low + rows[0], low + rows[1], first + rows[2], first + rows[3])
        if len(found) < _MAX_BASES and not any(_covers(known, box) for known in found):
            found.append(box)
    return found


def _covers(known: Rows, box: Rows) -> bool:
    """Whether the crops of one part come near to the other."""
    for (start, end), (low, high) in ((known[:2], box[:2]), (known[2:], box[2:])):
        size = end - start
        if low - start < -_SLACK * size or end - high < -_SLACK * size:
            return False
        if (low - start) + (end - high) > (_MOST * _STEP + _SLACK) * size:
            return False
    return True


def _around(share: float) -> Box:
    return (share / 2, share / 2, 1 - share / 2, 1 - share / 2)


def _quarters(gray: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(turned) for turned in (gray[:, ::-1], *(np.rot90(gray, k) for k in (1, 2, 3)))]


def _tilted(gray: np.ndarray, angle_deg: float) -> np.ndarray:
    return without_border(np.asarray(Image.fromarray(gray).rotate(angle_deg, Image.Resampling.BICUBIC)))


def _cut(gray: np.ndarray, rows: Rows) -> np.ndarray:
    return gray[rows[0] : rows[1], rows[2] : rows[3]]


def _inner(gray: np.ndarray, flat: int = _FLAT, *, spreads: Spreads | None = None) -> Rows:
    """The rows and columns inside the flat border; `spreads` of the picture, where they are known."""
    inner = (0, gray.shape[0], 0, gray.shape[1])
    for _ in range(_PASSES):
        top, bottom, left, right = inner
        part = gray[top:bottom, left:right]
        of_rows, of_cols = spreads or _spreads(part)
        spreads = None
        low, high = _not_flat(of_rows, flat)
        first, last = _not_flat(of_cols, flat)
        if (high - low, last - first) == part.shape:
            break
        inner = (top + low, top + high, left + first, left + last)
    return inner


def _spreads(gray: np.ndarray) -> Spreads:
    """How far the gray values of each row and of each column lie apart, the tails left out."""
    return _spread(gray), _spread(gray.T)


def _spread(gray: np.ndarray) -> np.ndarray:
    # As int32, since numpy sorts that with vector instructions: four times as fast as bytes.
    ordered = np.sort(gray[:, ::2].astype(np.int32), axis=1)
    last = ordered.shape[1] - 1
    return ordered[:, int((1 - _TAIL) * last)] - ordered[:, int(_TAIL * last)]


def _not_flat(spread: np.ndarray, flat: int) -> tuple[int, int]:
    """The first line that is not flat, and the one after the last; all lines where that leaves too few."""
    found = np.flatnonzero(spread > flat)
    if not len(found) or found[-1] + 1 - found[0] < _MIN_LEFT * len(spread):
        return 0, len(spread)
    return int(found[0]), int(found[-1]) + 1


def _codes(gray: np.ndarray, boxes: tuple[Box, ...]) -> np.ndarray:
    """The hash of each part of a picture. Shape [boxes, 32], uint8."""
    cells = _cell_sums(gray, np.asarray(boxes))
    is_brighter = cells[..., 1:] > cells[..., :-1] + _ROUNDING
    return np.packbits(is_brighter.reshape(len(boxes), -1), axis=1)


def _cell_sums(gray: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Sums over 16 x 17 cells of equal area in each box, exact to parts of a pixel. Shape [boxes, 16, 17].

    They come from one table of sums over all pixels above and left of a corner, so a further box costs almost nothing.
    """
    height, width = gray.shape
    table = np.zeros((height + 1, width + 1), dtype=np.int64)
    table[1:, 1:] = gray.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int64)
    left, top, right, bottom = boxes.T[..., None]
    rows, row_part = _edges((top + (bottom - top) * np.linspace(0, 1, _ROWS + 1)) * height, height)
    cols, col_part = _edges((left + (right - left) * np.linspace(0, 1, _COLS + 1)) * width, width)
    row, col = rows[:, :, None], cols[:, None, :]
    down, across = row_part[:, :, None], col_part[:, None, :]
    upper = table[row, col] * (1 - across) + table[row, col + 1] * across
    lower = table[row + 1, col] * (1 - across) + table[row + 1, col + 1] * across
    corners = upper * (1 - down) + lower * down
    return np.diff(np.diff(corners, axis=1), axis=2)


def _edges(places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    whole = np.minimum(places.astype(np.int64), size - 1)
    return whole, places - whole


def _drafted(data: bytes, min_px: int) -> Image.Image | None:
    """A gray picture decoded at a smaller size, where the file is a JPEG that needs no turning; else None."""
    if not data.startswith(_JPEG) or b"Exif" in data[:64]:
        return None
    try:
        picture = Image.open(io.BytesIO(data), formats=["JPEG"])
        if picture.format != "JPEG" or picture.mode not in {"L", "RGB"}:
            return None
        picture.draft("L", (min_px, min_px))
        picture.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None  # whole or not, the other way reads it or says what is wrong
    return picture


def _full_range(picture: Image.Image) -> Window:
    low, high = (float(value) for value in picture.getextrema())
    if not np.isfinite([low, high]).all():
        raise InputError("image stores values that are no numbers")
    return spanning(low, high, least_width=1.0)
