"""Volume: voxels with their place in the patient, and the pictures that its three planes give.

Millimetres are those of NIfTI's world, RAS+: x grows to the patient's right hand, y to the front, z to the head.
Pictures follow the radiological convention: an axial or coronal slice is seen from the patient's feet or front, so that
the patient's left is at the right edge of the picture; a sagittal slice has the front of the patient at its left edge.
"""

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from osler.core.errors import InputError
from osler.schema.media import Plane

MAX_VOXELS: Final = 2**31
_SIDES = ("RL", "AP", "SI")
_AXES: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan, or a map of labels on one.

    voxels: real numbers, shape [x, y, z] in the file's own axes; `orientation` names to which side each grows.
    affine: float64 [4, 4], voxel index to millimetres in RAS+.
    modality: DICOM's word ("CT", "MR"), "" where the file does not say.
    units: "HU" for computed tomography read from DICOM, else "".
    """

    voxels: NDArray[np.generic]
    affine: NDArray[np.float64]
    modality: str = ""
    units: str = ""

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels along each axis."""
        x, y, z = (float(length) for length in np.linalg.norm(self.affine[:3, :3], axis=0))
        return x, y, z

    @property
    def orientation(self) -> str:
        """The sides to which the three axes grow, such as "RAS" or "LPS"; the nearest ones where they are oblique."""
        return "".join(_SIDES[side][sign < 0] for side, sign in _nearest_sides(self.affine))


def checked_volume(voxels: NDArray[np.generic], affine: NDArray[np.float64]) -> Volume:
    """The volume, if it is one.

    Raises:
        InputError: not three axes, no voxel, complex or coloured voxels, or an affine that maps no space.
    """
    if voxels.ndim != 3 or not voxels.size:
        raise InputError("not a volume", expected="three axes", got=f"shape {list(voxels.shape)}")
    if voxels.dtype.kind not in "biuf":
        raise InputError("voxels are not real numbers", got=str(voxels.dtype))
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError("the affine maps voxels to no space", got=str(np.round(affine[:3], 4).tolist()))
    return Volume(voxels.astype(voxels.dtype.newbyteorder("="), copy=False), np.asarray(affine, np.float64))


def to_canonical(volume: Volume) -> Volume:
    """The same voxels with axes put in order and turned so that the orientation is RAS. No voxel is resampled."""
    sides = _nearest_sides(volume.affine)
    order = [next(axis for axis in range(3) if sides[axis][0] == side) for side in range(3)]
    affine = volume.affine[:, [*order, 3]].copy()
    voxels = volume.voxels.transpose(order)
    for axis in range(3):
        if sides[order[axis]][1] < 0:
            affine[:, 3] += affine[:, axis] * (voxels.shape[axis] - 1)
            affine[:, axis] *= -1
            voxels = np.flip(voxels, axis)
    return replace(volume, voxels=voxels, affine=affine)


def num_slices(volume: Volume, plane: Plane) -> int:
    """How many slices a canonical volume has in a plane; number 0 is the lowest, hindmost or leftmost."""
    return int(volume.voxels.shape[_AXES[plane]])


def voxels_by_slice(volume: Volume, plane: Plane) -> NDArray[np.generic]:
    """The voxels of a canonical volume, shape [slices, ...], the slices of `plane` first."""
    return np.moveaxis(volume.voxels, _AXES[plane], 0)


def slice_values(volume: Volume, plane: Plane, index: int) -> NDArray[np.generic]:
    """One slice of a canonical volume as a picture in the radiological convention: shape [rows, columns]."""
    return voxels_by_slice(volume, plane)[index][::-1, ::-1].T


def slice_spacing_mm(volume: Volume, plane: Plane) -> tuple[float, float, float]:
    """Distance of a picture's rows, of its columns, and of neighbouring slices."""
    spacing = volume.spacing_mm
    columns, rows = _in_plane(plane)
    return spacing[rows], spacing[columns], spacing[_AXES[plane]]


def slice_orientation(plane: Plane) -> str:
    """To which side of the patient a picture's columns (rightwards), its rows (downwards) and slice numbers run.

    "LPS" where the plane is axial, "LIA" where it is coronal, "PIR" where it is sagittal.
    """
    columns, rows = _in_plane(plane)
    return _SIDES[columns][1] + _SIDES[rows][1] + _SIDES[_AXES[plane]][0]


def slice_position_mm(volume: Volume, plane: Plane, index: int) -> tuple[float, float, float]:
    """Where the centre of the picture's top left pixel lies, in RAS+."""
    corner = np.array([*(size - 1 for size in volume.voxels.shape), 1.0])
    corner[_AXES[plane]] = index
    x, y, z = (float(value) for value in (volume.affine @ corner)[:3])
    return x, y, z


def same_grid(one: Volume, other: Volume) -> bool:
    """Whether voxels of equal index lie at one place: within a hundredth of a millimetre at every corner."""
    if one.voxels.shape != other.voxels.shape:
        return False
    corners = np.array([[x, y, z, 1.0] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    corners[:, :3] *= np.array(one.voxels.shape) - 1
    return bool(np.abs((one.affine - other.affine) @ corners.T).max() < 0.01)


def _in_plane(plane: Plane) -> tuple[int, int]:
    columns, rows = (axis for axis in range(3) if axis != _AXES[plane])
    return columns, rows


def _nearest_sides(affine: NDArray[np.float64]) -> list[tuple[int, int]]:
    """For each voxel axis the world axis it runs along and its sign; each world axis is taken once."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    best = max(permutations(range(3)), key=lambda order: sum(abs(directions[order[axis], axis]) for axis in range(3)))
    return [(side, 1 if directions[side, axis] > 0 else -1) for axis, side in enumerate(best)]
