"""Presentation: the grey levels that a DICOM header asks for, from stored values of up to 16 bits to 0..255.

The chain is that of DICOM PS3.3: Modality LUT or rescale (C.11.1), then VOI LUT or window (C.11.2), then MONOCHROME1
turned over (C.7.6.3.1.2). It is read from the header before identity is taken out, and holds numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from osler.media.deid_pixels import Picture
from osler.media.dicom import load_pydicom
from osler.schema.media import Window

Curve = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
_CURVES: tuple[Curve, ...] = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_MOST_WINDOWS = 16
_MOST_ENTRIES = 1 << 16
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)


@dataclass(frozen=True, eq=False)
class Table:
    """A lookup table: the value `first` becomes `values[0]`; below and above, the ends hold. bits: of an output."""

    first: int
    values: NDArray[np.float64]
    bits: int

    def of(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each input becomes."""
        places = np.clip(np.rint(inputs) - self.first, 0, len(self.values) - 1).astype(np.int64)
        return self.values[places]


@dataclass(frozen=True, eq=False)
class Presentation:
    """How one frame's stored values are shown.

    modality: a table, or slope and intercept. windows: those of the header in the output of `modality`. curve: how a
    window is applied. voi: the header's VOI LUT, which comes before its windows.
    """

    modality: Table | tuple[float, float] = (1.0, 0.0)
    windows: tuple[Window, ...] = ()
    curve: Curve = "LINEAR"
    voi: Table | None = None


def presentations_of(dataset: Any) -> tuple[Presentation, ...]:
    """What the header says: one for all frames, or one for each where functional groups say so."""
    shared = _first(dataset, "SharedFunctionalGroupsSequence")
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    if not groups and shared is None:
        return (_presentation([dataset]),)
    return tuple(_presentation([group, shared, dataset]) for group in groups or [None])


def write_tables(clean: Any, shown: Presentation) -> None:
    """Put the header's lookup tables, which are numbers, into the clean header; explanations stay behind."""
    for keyword, table in (("ModalityLUTSequence", shown.modality), ("VOILUTSequence", shown.voi)):
        if not isinstance(table, Table):
            continue
        item = load_pydicom().Dataset()
        count = len(table.values) % _MOST_ENTRIES
        if table.first < 0 and count > 0x7FFF:
            count -= _MOST_ENTRIES  # beside a signed first value the length is signed, too
        item.add_new(0x00283002, "SS" if table.first < 0 else "US", [count, table.first, table.bits])
        item.add_new(0x00283006, "OW", table.values.astype("<u2").tobytes())
        if keyword == "ModalityLUTSequence":
            item.ModalityLUTType = "US"
        setattr(clean, keyword, [item])


def num_overlays(dataset: Any) -> int:
    """Overlay planes that lie beside the pixels; they are never drawn."""
    return sum((group, 0x3000) in dataset for group in _OVERLAY_GROUPS)


def shown_frames(
    picture: Picture,
    presentations: Sequence[Presentation],
    frames: Sequence[int],
    *,
    window: Window | None = None,
    which: int = 0,
) -> list[NDArray[np.uint8]]:
    """Frames as they are to be seen: [rows, columns] for gray, [rows, columns, 3] for colour.

    Args:
        picture: stored values.
        presentations: from `presentations_of`.
        frames: which.
        window: in the output of the Modality LUT; takes the place of all that the header says.
        which: of several windows in the header.
    """
    if not picture.is_gray:
        return [np.asarray(picture.frames[number], np.uint8) for number in frames]
    return [
        _shown(picture, number, presentations[min(number, len(presentations) - 1)], window, which) for number in frames
    ]


def _shown(picture: Picture, number: int, shown: Presentation, window: Window | None, which: int) -> NDArray[np.uint8]:
    """One frame. Each value there can be is worked out once, so a large frame needs no room but its result's."""
    frame = picture.frames[number]
    unsigned = np.dtype(f"u{frame.dtype.itemsize}")
    patterns = np.ascontiguousarray(frame).view(unsigned)
    every = np.arange(1 << 8 * unsigned.itemsize, dtype=unsigned)
    values = _after_modality(every.view(frame.dtype).astype(np.float64), shown.modality)
    if window is not None:
        levels = window_levels(values, window, "LINEAR_EXACT")
    elif shown.voi is not None:
        levels = shown.voi.of(values) / ((1 << shown.voi.bits) - 1)
    elif shown.windows:
        levels = window_levels(values, shown.windows[min(which, len(shown.windows) - 1)], shown.curve)
    else:
        levels = _least_to_most(values, patterns)
    grey = np.rint(np.clip(levels, 0.0, 1.0) * 255).astype(np.uint8)
    return (255 - grey if picture.inverted else grey)[patterns]


def _least_to_most(values: NDArray[np.float64], patterns: NDArray[Any]) -> NDArray[np.float64]:
    """From the least value in the frame to the largest: what is left where a header has no window."""
    seen = np.zeros(len(values), bool)
    seen[patterns] = True
    low, high = float(values[seen].min()), float(values[seen].max())
    return (values - low) / ((high - low) or 1.0)


def window_levels(values: NDArray[np.float64], window: Window, curve: Curve) -> NDArray[np.float64]:
    """A window of DICOM (PS3.3 C.11.2.1.2 and C.11.2.1.3): 0 is black, 1 is white.

    LINEAR reaches from `center` - `width`/2 to `center` + `width`/2 - 1, as it counts whole values; it needs a width of
    1, so that a smaller one is taken as LINEAR_EXACT.
    """
    center, width = window.center, window.width
    if curve == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / width, -700, 700)))
    if curve == "LINEAR" and width >= 1.0:
        if width == 1.0:
            return np.where(values > center - 0.5, 1.0, 0.0)
        return np.clip((values - (center - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0)
    return np.clip((values - center) / width + 0.5, 0.0, 1.0)


def _after_modality(stored: NDArray[np.float64], modality: Table | tuple[float, float]) -> NDArray[np.float64]:
    if isinstance(modality, Table):
        return modality.of(stored)
    slope, intercept = modality
    return stored * slope + intercept


def _presentation(places: Sequence[Any]) -> Presentation:
    """`places`: where to look, the frame's own group first."""
    scale = _holder(places, "PixelValueTransformationSequence", "RescaleSlope")
    slope, intercept = _number(scale, "RescaleSlope", 1.0), _number(scale, "RescaleIntercept", 0.0)
    table = _table(_first(places[-1], "ModalityLUTSequence"))
    voi = _holder(places, "FrameVOILUTSequence", "WindowCenter")
    curve = str(voi.get("VOILUTFunction") or "LINEAR") if voi is not None else "LINEAR"
    return Presentation(
        table if table is not None else (slope, intercept),
        _windows(voi),
        curve if curve in _CURVES else "LINEAR",
        _table(_first(places[-1], "VOILUTSequence")),
    )


def _holder(places: Sequence[Any], sequence: str, keyword: str) -> Any:
    """The item that has `keyword`: of the first functional group that has the sequence, else the dataset."""
    for group in places[:-1]:
        item = _first(group, sequence)
        if item is not None and item.get(keyword) is not None:
            return item
    return places[-1]


def _first(dataset: Any, sequence: str) -> Any:
    items = dataset.get(sequence) if dataset is not None else None
    return items[0] if items else None


def _number(dataset: Any, keyword: str, default: float) -> float:
    value = dataset.get(keyword)
    number = default if value is None or value == "" else float(value)
    if not np.isfinite(number) or (keyword == "RescaleSlope" and number == 0):
        raise ValueError(keyword)
    return number


def _windows(dataset: Any) -> tuple[Window, ...]:
    """All pairs of centre and width that make sense."""
    centers, widths = (_several(dataset.get(keyword)) for keyword in ("WindowCenter", "WindowWidth"))
    pairs = zip(centers[:_MOST_WINDOWS], widths[:_MOST_WINDOWS], strict=False)
    return tuple(Window(center=c, width=w) for c, w in pairs if np.isfinite([c, w]).all() and w > 0)


def _several(value: Any) -> list[float]:
    if value is None or value == "":
        return []
    return [float(one) for one in ([value] if isinstance(value, (int, float, str)) else value)]


def _table(item: Any) -> Table | None:
    if item is None or item.get("LUTData") is None or item.get("LUTDescriptor") is None:
        return None
    count, first, bits = (int(value) for value in item.LUTDescriptor)
    count = count % _MOST_ENTRIES or _MOST_ENTRIES
    data = item.LUTData
    if isinstance(data, bytes):
        little = item.is_little_endian is not False if hasattr(item, "is_little_endian") else True
        wide = np.dtype("<u2" if little else ">u2")
        entries = np.frombuffer(data, np.uint8 if len(data) < 2 * count else wide)
    else:
        entries = np.atleast_1d(np.asarray(data)).astype(np.int64) & 0xFFFF
    if not len(entries) >= count or not 1 < bits <= 16:
        raise ValueError("LUT")
    return Table(first, entries[:count].astype(np.float64), bits)
