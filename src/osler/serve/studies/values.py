"""Values: what a page that sets windows itself is told of a gray picture beside its stored values."""

from typing import Any

import numpy as np

from osler.media.deid_pixels import Picture
from osler.media.presentation import Presentation
from osler.media.window import spanning
from osler.schema.media import Window


def told_values(picture: Picture, shown: Presentation, number: int, *, which: int = 0) -> dict[str, Any] | None:
    """`center` and `width` of the first view and `scale`, for the PNG of frame `number` (`media.deid.png_frames`).

    None where no straight line that rises leads from the PNG's values to what is shown: only the picture is right then.
    The window is the header's, or reaches from the least value to the largest, as `media.presentation` has it.
    `is_curved`: the header asks for a curve, of which this is the straight line. scale: slope and intercept from the
    PNG's values to those after rescale (HU for CT); none where the least value is white.
    """
    if not isinstance(shown.modality, tuple) or shown.modality[0] <= 0:
        return None
    slope, intercept = _line(picture, *shown.modality)
    window = _header_window(shown, which)
    if window is None:
        window = _least_to_most(picture, number)
    else:
        window = Window(center=(window.center - intercept) / slope, width=window.width / abs(slope))
    told: dict[str, Any] = {"center": window.center, "width": window.width}
    told["is_curved"] = shown.voi is not None or (bool(shown.windows) and shown.curve == "SIGMOID")
    return told | ({"scale": [slope, intercept]} if slope > 0 else {})


def _line(picture: Picture, slope: float, intercept: float) -> tuple[float, float]:
    """Slope and intercept from the PNG's values to those after rescale."""
    offset = _offset(picture)
    if picture.inverted:
        return -slope, intercept + slope * ((1 << picture.bits) - 1 - offset)
    return slope, intercept - slope * offset


def _offset(picture: Picture) -> int:
    return 1 << (picture.bits - 1) if np.issubdtype(picture.frames.dtype, np.signedinteger) else 0


def _header_window(shown: Presentation, which: int) -> Window | None:
    if shown.voi is not None:
        return spanning(shown.voi.first, shown.voi.first + len(shown.voi.values) - 1)
    return shown.windows[min(which, len(shown.windows) - 1)] if shown.windows else None


def _least_to_most(picture: Picture, number: int) -> Window:
    frame = picture.frames[number]
    low, high = int(frame.min()) + _offset(picture), int(frame.max()) + _offset(picture)
    if picture.inverted:
        low, high = (1 << picture.bits) - 1 - high, (1 << picture.bits) - 1 - low
    # Half a value above and one more in width: the line of a DICOM window then meets both ends.
    return Window(center=(low + high + 1) / 2, width=max(high - low, 1) + 1)
