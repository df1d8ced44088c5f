"""DICOM: the bytes of a drawn film, and the gray pixels of any file. pydicom is loaded on first use."""

import hashlib
import io
import struct
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.schema.media import Window

_UID_ROOT = "2.25"
_DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_MANUFACTURER = "Osler phantom"
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True)
class Radiograph:
    """The picture and its geometry, without a person.

    pixels: uint16 (H, W), `bits` of them used. spacing_mm: distance of pixel centres on the detector.
    The row direction runs to the patient's left, the column direction to the feet.
    """

    pixels: NDArray[np.uint16]
    bits: int
    window: Window
    view: str
    body_part: str
    spacing_mm: float
    study_uid: str
    series_uid: str
    instance_uid: str


@dataclass(frozen=True)
class Tags:
    """The identity a file carries. For drawn films all of it is invented."""

    patient_name: str
    patient_id: str
    born: date
    sex: str
    taken: date
    time: str
    institution: str
    accession: str
    description: str
    number: int = 1


def derived_uid(*names: str | int) -> str:
    """A UID that is a pure function of `names`, of whose SHA-256 it is made."""
    return digest_uid(hashlib.sha256("\x1f".join(map(str, names)).encode()).digest())


def digest_uid(digest: bytes) -> str:
    """The UID that the first 16 bytes of a digest make: `2.25.` and a UUID as an integer (DICOM PS3.5, B.2).

    The UUID is of version 8 (RFC 9562).
    """
    made = bytearray(digest[:16])
    made[6] = made[6] & 0x0F | 0x80
    made[8] = made[8] & 0x3F | 0x80
    return f"{_UID_ROOT}.{uuid.UUID(bytes=bytes(made)).int}"


def dicom_bytes(film: Radiograph, tags: Tags) -> bytes:
    """The file of one radiograph: digital X-ray, MONOCHROME2, explicit little endian. Equal arguments give equal bytes.

    Raises:
        InputError: the pixels do not fit `bits`, or pydicom is not installed.
    """
    pydicom = load_pydicom()
    if film.pixels.dtype != np.uint16 or film.pixels.ndim != 2 or not 8 < film.bits <= 16:
        raise InputError(
            "cannot write a radiograph",
            expected="uint16 [H, W] of 9 to 16 bits",
            got=f"{film.pixels.dtype} {list(film.pixels.shape)} of {film.bits} bits",
        )
    if int(film.pixels.max(initial=0)) >= 2**film.bits:
        raise InputError(f"a pixel of {int(film.pixels.max())} does not fit {film.bits} bits")
    dataset = pydicom.Dataset()
    _put_identity(dataset, tags)
    _put_picture(dataset, film)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = _DX_FOR_PRESENTATION
    dataset.file_meta.MediaStorageSOPInstanceUID = film.instance_uid
    dataset.file_meta.TransferSyntaxUID = _EXPLICIT_LITTLE_ENDIAN
    dataset.file_meta.ImplementationClassUID = derived_uid("osler", "implementation")
    dataset.file_meta.ImplementationVersionName = "OSLER"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def read_dataset(path: Path) -> Any:
    """The elements of a DICOM file; pixels are not decoded yet.

    Raises:
        InputError: no DICOM, damaged, or pydicom is not installed.
    """
    pydicom = load_pydicom()
    try:
        with named_damage(path.name):
            return pydicom.dcmread(existing_file(path))
    except pydicom.errors.InvalidDicomError as error:
        raise InputError(f"{path.name} is no DICOM file: it lacks the mark 'DICM' after 128 bytes") from error


@contextmanager
def named_damage(name: str) -> Iterator[None]:
    """Whatever pydicom raises inside the block becomes an InputError that names the file.

    It turns the bytes of an element into a value when the value is asked for, so any look may find damage.
    """
    try:
        # What pydicom warns of (padding, odd values) it has mended; what it could not mend it raises.
        with warnings.catch_warnings(action="ignore"):
            yield
    except (load_pydicom().errors.BytesLengthException, *_DAMAGED) as error:
        raise InputError(f"{name} is a damaged DICOM file: {error}") from error


def gray_frames(dataset: Any, name: str) -> NDArray[np.generic]:
    """The stored values of a gray file, decoded, without rescale: shape [frames, rows, columns], an integer dtype.

    Args:
        dataset: from `read_dataset`.
        name: what an error calls the file.

    Raises:
        InputError: no picture, colour, black and white exchanged, cut off, or in a compression without a decoder here.
    """
    if "PixelData" not in dataset or "Rows" not in dataset:
        raise InputError(f"{name} holds no picture", got=str(dataset.get("Modality", "no modality")))
    found = f"{dataset.get('PhotometricInterpretation')}, {dataset.get('SamplesPerPixel')} sample(s)"
    if found != "MONOCHROME2, 1 sample(s)":
        raise InputError(f"{name} is of another kind", expected="MONOCHROME2, 1 sample(s)", got=found)
    try:
        with warnings.catch_warnings(action="ignore"):
            pixels = dataset.pixel_array
    except (RuntimeError, *_DAMAGED) as error:
        syntax = dataset.file_meta.get("TransferSyntaxUID", "")
        why = str(error).partition("\n")[0].rstrip(":")
        raise InputError(f"cannot decode the pixels of {name}: {getattr(syntax, 'name', syntax)}: {why}") from error
    return np.asarray(pixels).reshape(-1, dataset.Rows, dataset.Columns)


def _put_identity(dataset: Any, tags: Tags) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = tags.patient_name
    dataset.PatientID = tags.patient_id
    dataset.PatientBirthDate = tags.born.strftime("%Y%m%d")
    dataset.PatientSex = tags.sex
    for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(dataset, name, tags.taken.strftime("%Y%m%d"))
    for name in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
        setattr(dataset, name, tags.time)
    dataset.InstitutionName = tags.institution
    dataset.AccessionNumber = tags.accession
    dataset.StudyDescription = tags.description
    dataset.StudyID = str(tags.number)
    dataset.ReferringPhysicianName = ""
    dataset.Manufacturer = _MANUFACTURER


def _put_picture(dataset: Any, film: Radiograph) -> None:
    dataset.SOPClassUID = _DX_FOR_PRESENTATION
    dataset.SOPInstanceUID = film.instance_uid
    dataset.StudyInstanceUID = film.study_uid
    dataset.SeriesInstanceUID = film.series_uid
    dataset.Modality = "DX"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.BodyPartExamined = film.body_part.upper()
    dataset.ViewPosition = film.view
    dataset.ImageLaterality = "U"  # the chest is not one of a pair; left and right follow from the orientation
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImagerPixelSpacing = [f"{film.spacing_mm:.6g}"] * 2
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.Rows, dataset.Columns = film.pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, film.bits, film.bits - 1
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.WindowCenter, dataset.WindowWidth = f"{film.window.center:g}", f"{film.window.width:g}"
    dataset.PixelData = film.pixels.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def load_pydicom() -> Any:
    """The package, or an InputError that names the extra which brings it."""
    try:
        import pydicom
    except ModuleNotFoundError as error:
        raise InputError(
            "DICOM needs the package 'pydicom'", fix="Install the extra that brings it: pip install 'osler[dicom]'."
        ) from error
    return pydicom
