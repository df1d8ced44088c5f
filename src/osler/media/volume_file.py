"""Volume files: which reader a path needs, and the hash that names its content."""

from pathlib import Path

from osler.core.errors import InputError
from osler.core.files import sha256_file, sha256_json
from osler.media.dicom import load_pydicom
from osler.media.nifti import SUFFIXES, load_nibabel, read_nifti
from osler.media.series import read_series, series_files
from osler.media.volume import Volume, to_canonical


def read_volume(path: Path, *, frame: int | None = None) -> Volume:
    """The volume at `path` with its axes turned to RAS: a NIfTI file, a folder with a DICOM series, or a DICOM file.

    Args:
        path: .nii, .nii.gz, a folder, or a DICOM file of any name.
        frame: which volume of a NIfTI file that holds several.

    Raises:
        InputError: as `nifti.read_nifti` and `series.read_series`; nothing at the path.
    """
    if not path.exists():
        raise InputError(f"no volume {path.name}", expected="a .nii or .nii.gz file or a folder with a DICOM series")
    return to_canonical(read_nifti(path, frame=frame) if is_nifti(path) else read_series(path))


def is_nifti(path: Path) -> bool:
    """Whether the name says so."""
    return path.name.lower().endswith(SUFFIXES)


def load_reader(path: Path) -> None:
    """Load the package that reading `path` needs. Raises InputError that names the extra where it is not installed."""
    if is_nifti(path):
        load_nibabel()
    else:
        load_pydicom()


def volume_sha256(path: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the list of its instances' names and hashes."""
    if path.is_dir():
        return sha256_json([[file.name, sha256_file(file)] for file in series_files(path)])
    return sha256_file(path)
