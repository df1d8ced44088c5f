"""DICOM to volumes: a folder with the instances of one series, or one file of many frames.

The order and the distance of slices come from where they lie (Image Position (Patient) projected on the slices' normal,
DICOM PS3.3 C.7.6.2), never from their file names or instance numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.core.errors import InputError
from osler.core.files import existing_folder
from osler.media.dicom import gray_frames, load_pydicom, named_damage, read_dataset
from osler.media.volume import MAX_VOXELS, Volume, checked_volume

_JUNK = ("dicomdir", "thumbs.db", "desktop.ini")
_MAX_TURN = 1e-3
_STEP_TOLERANCE = 0.1
_SHOWN = 4


@dataclass(frozen=True)
class _Slice:
    """One slice: stored values [rows, columns], and where it lies in DICOM's millimetres (LPS+).

    position: the centre of the first pixel. along: the directions of a row and of a column, shape [2, 3].
    spacing: distance of rows, of columns. step: distance to the next slice as the header has it, None where it has not.
    """

    name: str
    values: NDArray[np.generic]
    position: NDArray[np.float64]
    along: NDArray[np.float64]
    spacing: tuple[float, float]
    step: float | None
    slope: float
    intercept: float


def series_files(folder: Path) -> list[Path]:
    """The instances of a folder in the order of their names, without hidden files and a DICOMDIR."""
    files = (path for path in sorted(existing_folder(folder).iterdir()) if path.is_file())
    return [path for path in files if not path.name.startswith(".") and path.name.lower() not in _JUNK]


def read_series(path: Path) -> Volume:
    """The volume of a series: a folder of instances, or one file whose frames say where they lie.

    Computed tomography is in HU; other values are what rescale slope and intercept make of the stored ones.

    Raises:
        InputError: no instance, a file that is no DICOM or cannot be decoded, more than one series, slices of several
            sizes, spacings or directions, two at one place, some missing, or none with a place; no pydicom installed.
    """
    load_pydicom()
    files = series_files(path) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path.name} holds no file", expected="the instances of one DICOM series")
    return series_volume([(file.name, read_dataset(file)) for file in files], path.name)


def series_volume(datasets: Sequence[tuple[str, Any]], series: str) -> Volume:
    """The volume that instances make, each with the name that errors call it by; `series` is what they call all.

    Raises:
        InputError: as `read_series`.
    """
    _check_one_series(datasets)
    slices: list[_Slice] = []
    for name, dataset in datasets:
        with named_damage(name):
            slices += _slices(name, dataset)
    _check_alike(slices)
    first = slices[0]
    if len(slices) * first.values.size > MAX_VOXELS:
        raise InputError(f"{series} is too large", expected=f"at most {MAX_VOXELS} voxels")
    normal = np.cross(*first.along)
    slices.sort(key=lambda part: float(part.position @ normal))
    step = _step(slices, normal)
    with named_damage(datasets[0][0]):
        modality = str(datasets[0][1].get("Modality", ""))
    volume = checked_volume(_voxels(slices), _affine_ras(slices[0], step))
    return Volume(volume.voxels, volume.affine, modality=modality, units="HU" if modality == "CT" else "")


def _check_one_series(datasets: Sequence[tuple[str, Any]]) -> None:
    numbers: dict[str, int] = {}
    for name, dataset in datasets:
        with named_damage(name):
            uid = str(dataset.get("SeriesInstanceUID", "without a number"))
        numbers[uid] = numbers.get(uid, 0) + 1
    if len(numbers) > 1:
        found = ", ".join(f"{uid} ({number} instances)" for uid, number in sorted(numbers.items())[:_SHOWN])
        raise InputError(
            f"{len(numbers)} series in one folder", expected="one", got=found, fix="Put each in a folder of its own."
        )


def _slices(name: str, dataset: Any) -> list[_Slice]:
    if "MOSAIC" in (dataset.get("ImageType") or ()):
        raise InputError(f"{name} shows many slices in one picture (a mosaic)", fix="Convert the series to NIfTI.")
    values = gray_frames(dataset, name)
    shared = dataset.get("SharedFunctionalGroupsSequence", [None])[0]
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence", []))
    if groups and len(groups) != len(values):
        raise InputError(f"{name} places {len(groups)} of its {len(values)} frames")
    if not groups and len(values) > 1:
        raise InputError(f"{name} holds {len(values)} frames and does not say where each lies")
    places: list[tuple[Any, ...]] = [(group, shared) for group in groups] or [()]
    names = [f"frame {number} of {name}" for number in range(1, len(values) + 1)] if groups else [name]
    return [_slice(names[n], values[n], dataset, places[n]) for n in range(len(values))]


def _slice(name: str, values: NDArray[np.generic], dataset: Any, groups: Sequence[Any]) -> _Slice:
    """`groups`: the frame's own functional groups and the shared ones; none where the file has one frame."""

    def element(keyword: str, sequence: str) -> Any:
        for group in groups:
            for item in group.get(sequence, []) if group is not None else []:
                if item.get(keyword) is not None:
                    return item.get(keyword)
        return dataset.get(keyword)

    position = element("ImagePositionPatient", "PlanePositionSequence")
    along = element("ImageOrientationPatient", "PlaneOrientationSequence")
    spacing = element("PixelSpacing", "PixelMeasuresSequence")
    if not position or not along or not spacing:
        raise InputError(
            f"{name} does not say where it lies in the patient",
            expected="ImagePositionPatient, ImageOrientationPatient and PixelSpacing",
        )
    slope = element("RescaleSlope", "PixelValueTransformationSequence")
    intercept = element("RescaleIntercept", "PixelValueTransformationSequence")
    step = element("SpacingBetweenSlices", "PixelMeasuresSequence") or element(
        "SliceThickness", "PixelMeasuresSequence"
    )
    part = _Slice(
        name,
        values,
        np.array(position, np.float64),
        np.array(along, np.float64).reshape(2, 3),
        (float(spacing[0]), float(spacing[1])),
        abs(float(step)) if step else None,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
    )
    numbers = [*part.position, *part.along.flat, *part.spacing, part.step or 1.0, part.slope, part.intercept]
    if part.position.shape != (3,) or not np.isfinite(numbers).all():
        raise InputError(f"{name} lies nowhere: its position, direction, spacing or rescale is no finite number")
    return part


def _check_alike(slices: Sequence[_Slice]) -> None:
    first = slices[0]
    for part in slices:
        if part.values.shape != first.values.shape:
            pair = f"{list(first.values.shape)} in {first.name}, {list(part.values.shape)} in {part.name}"
            raise InputError("slices of several sizes in one series", got=pair)
        if np.abs(part.along - first.along).max() > _MAX_TURN:
            raise InputError(
                f"slices of several directions in one series: {first.name} and {part.name} are not parallel",
                fix="Take the scout views and reformatted slices out.",
            )
        if not np.allclose(part.spacing, first.spacing, rtol=1e-3):
            pair = f"{first.spacing} mm in {first.name}, {part.spacing} mm in {part.name}"
            raise InputError("slices of several pixel spacings in one series", got=pair)


def _step(slices: Sequence[_Slice], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """The way from one slice to the next; slices of a tilted gantry do not lie straight above each other."""
    first, last = slices[0], slices[-1]
    if len(slices) == 1:
        if first.step is None:
            raise InputError(f"one slice, {first.name}, that does not say how thick it is")
        return first.step * normal
    gaps = np.diff([float(part.position @ normal) for part in slices])
    least = float(gaps.min())
    if least < 1e-3:
        here = int(gaps.argmin())
        raise InputError(f"two slices at one place: {slices[here].name} and {slices[here + 1].name}")
    for number, gap in enumerate(gaps):
        between = f"between {slices[number].name} and {slices[number + 1].name}"
        missing = round(gap / least) - 1
        if abs(gap - least * (missing + 1)) > _STEP_TOLERANCE * least * (missing + 1):
            raise InputError(f"slices at uneven distances: {gap:g} mm {between}, {least:g} mm elsewhere")
        if missing:
            raise InputError(f"slices missing: {missing} {between}, which lie {gap:g} mm apart and others {least:g} mm")
    return (last.position - first.position) / (len(slices) - 1)


def _voxels(slices: Sequence[_Slice]) -> NDArray[np.generic]:
    """Rescaled values, shape [columns, rows, slices]; whole numbers stay whole."""
    is_whole = all(part.slope.is_integer() and part.intercept.is_integer() for part in slices)
    ends = [
        float(end) * part.slope + part.intercept for part in slices for end in (part.values.min(), part.values.max())
    ]
    is_short = is_whole and min(ends) >= -32768 and max(ends) <= 32767
    dtype = np.int16 if is_short else np.int32 if is_whole else np.float32
    out = np.empty((*slices[0].values.shape[::-1], len(slices)), dtype)
    for number, part in enumerate(slices):
        out[:, :, number] = part.values.T.astype(np.float64) * part.slope + part.intercept
    return out


def _affine_ras(first: _Slice, step: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, 0] = first.along[0] * first.spacing[1]
    affine[:3, 1] = first.along[1] * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = first.position
    affine[:2] *= -1  # DICOM's x and y grow to the left and to the back
    return affine
