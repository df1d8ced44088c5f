"""Slices: which ones of a volume are shown, chosen by a declared rule, and the PNG of each with its window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from osler.core.errors import InputError
from osler.media.image import encode_png8, encode_png16
from osler.media.volume import (
    Volume,
    num_slices,
    same_grid,
    slice_orientation,
    slice_position_mm,
    slice_spacing_mm,
    slice_values,
    voxels_by_slice,
)
from osler.media.window import apply_window, spanning
from osler.schema.media import Plane, VolumeSlice, Window

Rule = Literal["uniform", "centre", "every_mm", "indices", "mask"]
CtWindow = Literal["lung", "bone", "brain", "soft_tissue", "mediastinum"]

# Centre and width in HU, as radiology departments preset them; see radiopaedia.org/articles/windowing-ct.
CT_WINDOWS: Final[Mapping[CtWindow, Window]] = MappingProxyType(
    {
        "lung": Window(center=-600, width=1500),
        "bone": Window(center=400, width=1800),
        "brain": Window(center=40, width=80),
        "soft_tissue": Window(center=50, width=400),
        "mediastinum": Window(center=50, width=350),
    }
)
_TOP = 65535
_MAX_RANKED = 1 << 22
_EMPTY_SHARE = 0.01


@dataclass(frozen=True, kw_only=True)
class SliceRule:
    """Which slices are cut, and how they are shown.

    rule: `uniform` takes `count` at even distances from the first to the last slice that is not empty, `centre` the
        `count` in the middle of the volume, `every_mm` one every so many millimetres from the first to the last that
        is not empty, `indices` the named ones, `mask` the `count` in which most voxels carry `label` (any label for
        None). Where there are fewer slices than `count`, all of them.
    window: a CT window by name, a window in the scan's own values, or two percentiles of the whole volume.
    empty_below: a slice is empty unless a hundredth of its voxels lies above this value; None takes a tenth of the way
        from the volume's 0.5th to its 99.5th percentile.
    bits: 16 keeps the scan's values under a window; 8 stores what the window shows.
    square_pixels: resample a slice whose pixels are not square to its finer spacing, linearly.
    """

    plane: Plane
    rule: Rule
    window: CtWindow | Window | tuple[float, float]
    count: int | None = None
    every_mm: float | None = None
    indices: tuple[int, ...] = ()
    label: int | None = None
    empty_below: float | None = None
    frame: int | None = None
    bits: Literal[8, 16] = 16
    square_pixels: bool = False


@dataclass(frozen=True)
class SliceImage:
    """The PNG of a slice, the window in its stored values (None where it is applied already), and where it was."""

    png: bytes
    window: Window | None
    place: VolumeSlice


def cut_slices(
    volume: Volume, rule: SliceRule, *, path: str, sha256: str, labels: Volume | None = None
) -> list[SliceImage]:
    """The slices that `rule` chooses, from the lowest, hindmost or leftmost on.

    Args:
        volume: canonical (RAS), as `read_volume` gives it.
        rule: which, and how they are shown.
        path: the volume's name for the slices' geometry.
        sha256: of the volume.
        labels: canonical label numbers on the same grid; the rule `mask` needs it.

    Raises:
        InputError: every slice is empty, an index beyond the last, no or another mask, a CT window on something else,
            no finite voxel.
    """
    window = _window(volume, rule)
    indices = choose_slices(volume, rule, labels=labels)
    slope, intercept = (window.width / 255, window.center - window.width / 2) if rule.bits == 8 else _scale(volume)
    stored = Window(center=(window.center - intercept) / slope, width=window.width / slope)
    images = []
    for index in indices:
        values = slice_values(volume, rule.plane, index)
        spacing = slice_spacing_mm(volume, rule.plane)
        position = slice_position_mm(volume, rule.plane, index)
        if rule.square_pixels:
            values, spacing, position = _squared(volume, rule.plane, index)
        place = VolumeSlice(
            path=path,
            sha256=sha256,
            plane=rule.plane,
            index=index,
            num_slices=num_slices(volume, rule.plane),
            spacing_mm=spacing,
            orientation=slice_orientation(rule.plane),
            position_mm=position,
            slope=slope,
            intercept=intercept,
            units=volume.units,
        )
        if rule.bits == 8:
            low = window.center - window.width / 2
            images.append(SliceImage(encode_png8(apply_window(np.nan_to_num(values, nan=low), window)), None, place))
        else:
            images.append(SliceImage(encode_png16(_as_uint16(values, slope, intercept)), stored, place))
    return images


def choose_slices(volume: Volume, rule: SliceRule, *, labels: Volume | None = None) -> list[int]:
    """The numbers of the slices that `rule` chooses, ascending. Raises InputError as `cut_slices`."""
    total = num_slices(volume, rule.plane)
    if rule.rule == "indices":
        beyond = [index for index in rule.indices if not 0 <= index < total]
        if beyond:
            raise InputError(f"no {rule.plane} slice {beyond[0]}; the volume has 0 to {total - 1}")
        return sorted(set(rule.indices))
    if rule.rule == "mask":
        return _most_labelled(volume, rule, labels)
    if rule.rule == "centre":
        count = min(rule.count or 1, total)
        first = (total - count) // 2
        return list(range(first, first + count))
    filled = _filled_slices(volume, rule)
    if rule.rule == "every_mm":
        step = (rule.every_mm or 0.0) / slice_spacing_mm(volume, rule.plane)[2]
        return _rounded(np.arange(filled[0], filled[-1] + 1e-6, max(step, 1.0)))
    count = rule.count or 1
    if count == 1:
        return [(filled[0] + filled[-1]) // 2]
    return _rounded(np.linspace(filled[0], filled[-1], min(count, filled[-1] - filled[0] + 1)))


def _filled_slices(volume: Volume, rule: SliceRule) -> list[int]:
    """The first and the last slice that is not empty."""
    threshold = rule.empty_below
    if threshold is None:
        low, high = np.percentile(_ranked(volume), (0.5, 99.5))
        threshold = float(low + (high - low) / 10)
    shares = [np.count_nonzero(one > threshold) / one.size for one in voxels_by_slice(volume, rule.plane)]
    filled = [number for number, share in enumerate(shares) if share >= _EMPTY_SHARE]
    if not filled:
        raise InputError(f"every {rule.plane} slice is empty: none has one voxel in a hundred above {threshold:g}")
    return [filled[0], filled[-1]]


def _most_labelled(volume: Volume, rule: SliceRule, labels: Volume | None) -> list[int]:
    if labels is None:
        raise InputError("the rule 'mask' needs a label mask", fix="Name it in the sample's media reference.")
    if not same_grid(volume, labels):
        got = f"shapes {list(volume.voxels.shape)} and {list(labels.voxels.shape)}"
        raise InputError("the label mask does not lie on the volume's voxels", got=got)
    marked = labels.voxels != 0 if rule.label is None else labels.voxels == rule.label
    counts = np.count_nonzero(voxels_by_slice(Volume(marked, labels.affine), rule.plane), axis=(1, 2))
    ranked = sorted(np.flatnonzero(counts).tolist(), key=lambda index: (-int(counts[index]), index))
    if not ranked:
        raise InputError("the label mask is empty" + (f" of label {rule.label}" if rule.label is not None else ""))
    return sorted(ranked[: rule.count])


def _window(volume: Volume, rule: SliceRule) -> Window:
    """The window in the scan's own values."""
    if isinstance(rule.window, Window):
        return rule.window
    if isinstance(rule.window, str):
        if volume.modality not in {"", "CT"}:
            raise InputError(f"the window {rule.window!r} is in HU and the volume is {volume.modality}")
        return CT_WINDOWS[rule.window]
    low, high = (float(value) for value in np.percentile(_ranked(volume), rule.window))
    if not low < high:
        raise InputError(f"percentiles {rule.window} are one value, {low:g}: the volume shows nothing between them")
    return spanning(low, high)


def _ranked(volume: Volume) -> NDArray[Any]:
    """The finite voxels; of a large volume every so many, as ranking all takes long and moves a percentile little."""
    values = volume.voxels.ravel()
    values = values[:: max(1, values.size // _MAX_RANKED)]
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise InputError("the volume has no finite voxel")
    return finite


def _scale(volume: Volume) -> tuple[float, float]:
    """Slope and intercept from 16-bit stored values to the scan's: whole numbers keep slope 1 where they fit.

    Values that a signed 16-bit number holds, as HU are, have the intercept -32768 in every volume.
    """
    finite = volume.voxels if volume.voxels.dtype.kind in "biu" else volume.voxels[np.isfinite(volume.voxels)]
    if not finite.size:
        raise InputError("the volume has no finite voxel")
    low, high = float(finite.min()), float(finite.max())
    is_whole = finite.dtype.kind in "biu" or bool((finite == np.rint(finite)).all())
    if is_whole and high - low <= _TOP:
        return 1.0, -32768.0 if low >= -32768 and high <= 32767 else low
    return ((high - low) / _TOP) or 1.0, low


def _as_uint16(values: NDArray[np.generic], slope: float, intercept: float) -> NDArray[np.uint16]:
    """Stored values; what is not a number is the lowest one."""
    scaled = (np.asarray(values, np.float64) - intercept) / slope
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0, posinf=_TOP, neginf=0.0), 0, _TOP)).astype(np.uint16)


def _squared(
    volume: Volume, plane: Plane, index: int
) -> tuple[NDArray[np.generic], tuple[float, float, float], tuple[float, float, float]]:
    """Values, spacing and position of a slice resampled to square pixels of its finer spacing."""
    values = slice_values(volume, plane, index)
    rows, columns, apart = slice_spacing_mm(volume, plane)
    position = slice_position_mm(volume, plane, index)
    fine = min(rows, columns)
    height, width = round(values.shape[0] * rows / fine), round(values.shape[1] * columns / fine)
    if (height, width) == values.shape:
        return values, (rows, columns, apart), position
    picture = Image.fromarray(np.asarray(values, np.float32))
    resized = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
    resized = np.rint(resized) if values.dtype.kind in "biu" else resized
    new = (values.shape[0] * rows / height, values.shape[1] * columns / width, apart)
    across, down = _unit_steps(volume, plane)
    moved = np.array(position) + down * (new[0] - rows) / 2 + across * (new[1] - columns) / 2
    return resized, new, (float(moved[0]), float(moved[1]), float(moved[2]))


def _unit_steps(volume: Volume, plane: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The directions of a picture's rows (to its right) and columns (down) in RAS+."""
    axes = {"sagittal": (1, 2), "coronal": (0, 2), "axial": (0, 1)}[plane]
    directions = volume.affine[:3, :3] / np.linalg.norm(volume.affine[:3, :3], axis=0)
    return -directions[:, axes[0]], -directions[:, axes[1]]


def _rounded(places: Sequence[float] | NDArray[np.float64]) -> list[int]:
    return sorted({int(place) for place in np.floor(np.asarray(places) + 0.5)})
