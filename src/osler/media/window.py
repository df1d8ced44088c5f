"""Intensity windows: stored values of any depth to the 0..255 that a screen or a model is shown."""

import numpy as np

from osler.core.errors import InputError
from osler.schema.media import Window

_TABLE_FROM_PIXELS = 1 << 16


def apply_window(values: np.ndarray, window: Window) -> np.ndarray:
    """`values` mapped linearly so that the window's lower edge becomes 0 and its upper edge 255.

    Values outside the window are clipped; halves are rounded to the even neighbour.

    Args:
        values: stored intensities, any shape, any real dtype.
        window: centre and width in the same units; the width must be above 0.

    Returns:
        uint8, the shape of `values`.
    """
    if not window.width > 0:
        raise InputError("the width of an intensity window must be above 0", got=f"{window.width:g}")
    if values.dtype == np.uint16 and values.size > _TABLE_FROM_PIXELS:
        # One value at a time for the 65,536 there are costs less than every pixel of a large image.
        return _linear(np.arange(1 << 16), window)[values]
    return _linear(values, window)


def full_range(bits: int) -> Window:
    """The window that shows everything `bits` bits can hold: 0 becomes black and 2**bits - 1 white."""
    top = float(2**bits - 1)
    return Window(center=top / 2, width=top)


def spanning(low: float, high: float, *, least_width: float = 0.0) -> Window:
    """The window from `low` to `high`, at least `least_width` wide; of width 1 where that leaves none.

    Taken from one image's own values it makes images incomparable, so what a model is shown has it only when asked for.
    """
    return Window(center=(low + high) / 2, width=max(high - low, least_width) or 1.0)


def _linear(values: np.ndarray, window: Window) -> np.ndarray:
    low = window.center - window.width / 2
    scaled = (values.astype(np.float64) - low) * 255.0 / window.width
    return np.rint(np.clip(scaled, 0.0, 255.0)).astype(np.uint8)
