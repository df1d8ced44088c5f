"""NIfTI files to volumes: .nii and .nii.gz, versions 1 and 2. nibabel is loaded on first use."""

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.media.volume import MAX_VOXELS, Volume, checked_volume

SUFFIXES = (".nii", ".nii.gz")
# A file that does not say its unit is in millimetres, as every program of the field takes it.
_MM_PER_UNIT = {"unknown": 1.0, "mm": 1.0, "meter": 1000.0, "micron": 0.001}


def read_nifti(path: Path, *, frame: int | None = None) -> Volume:
    """The volume of a NIfTI file in the file's own axes, its scale factors applied.

    Args:
        path: ends in .nii or .nii.gz.
        frame: which volume of a file that holds several, from 0.

    Raises:
        InputError: missing, damaged, no image of three axes, several volumes without `frame`, or a header that does
            not say where the voxels lie; nibabel is not installed.
    """
    nibabel = load_nibabel()
    known = (nibabel.Nifti1Image, nibabel.Nifti1Pair)
    try:
        image = nibabel.load(existing_file(path))
        if not isinstance(image, known):
            raise InputError(f"{path.name} holds no volume", expected="NIfTI-1 or -2", got=type(image).__name__)
        if not int(image.header["qform_code"]) and not int(image.header["sform_code"]):
            raise InputError(
                f"{path.name} does not say how its axes lie in the patient: qform_code and sform_code are 0",
                fix="Write the affine into the header, then set one of the codes.",
            )
        volume = checked_volume(_voxels(image, path.name, frame), _affine_mm(image))
    except (nibabel.filebasedimages.ImageFileError, *_damaged(nibabel)) as error:
        why = str(error).replace(str(path), path.name)
        raise InputError(f"{path.name} is no readable NIfTI file: {why}", fix="Check the file.") from error
    return volume


def load_nibabel() -> Any:
    """The package, or an InputError that names the extra which brings it."""
    try:
        import nibabel
    except ModuleNotFoundError as error:
        raise InputError(
            "NIfTI needs the package 'nibabel'", fix="Install the extra that brings it: pip install 'osler[volume]'."
        ) from error
    return nibabel


def _damaged(nibabel: Any) -> tuple[type[Exception], ...]:
    return (nibabel.spatialimages.HeaderDataError, ArithmeticError, EOFError, KeyError, OSError, ValueError, zlib.error)


def _voxels(image: Any, name: str, frame: int | None) -> NDArray[np.generic]:
    shape = tuple(int(size) for size in image.shape)
    if math.prod(shape[:3]) > MAX_VOXELS:
        raise InputError(f"{name} is too large", expected=f"at most {MAX_VOXELS} voxels", got=f"shape {list(shape)}")
    frames = math.prod(shape[3:])
    if frames == 1:
        stored = image.dataobj
        is_scaled = (stored.slope, stored.inter) != (1.0, 0.0)
        return np.asarray(stored, np.float32 if is_scaled else None).reshape(shape[:3])
    if len(shape) != 4 or frame is None:
        raise InputError(
            f"{name} holds {frames} volumes",
            expected="one",
            got=f"shape {list(shape)}",
            fix="Say which with `frame` (from 0) in the recipe's section `volumes`." if len(shape) == 4 else "",
        )
    if frame >= frames:
        raise InputError(f"{name} has no frame {frame}; it has 0 to {frames - 1}")
    return np.asarray(image.dataobj[..., frame])


def _affine_mm(image: Any) -> NDArray[np.float64]:
    affine = np.array(image.affine, np.float64)
    affine[:3] *= _MM_PER_UNIT.get(image.header.get_xyzt_units()[0], 1.0)
    return affine
