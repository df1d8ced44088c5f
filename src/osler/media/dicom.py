"""Single-frame gray DICOM radiographs: bytes out of a film, a film out of a file. pydicom is loaded on first use."""

import hashlib
import io
import uuid
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.core.errors import InputError
from osler.core.files import existing_file
from osler.schema.media import Window

UID_ROOT = "2.25"
_DX_FOR_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_MANUFACTURER = "Osler phantom"


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
    """A UID that is a pure function of `names`: `2.25.` and a UUID as an integer (DICOM PS3.5, B.2).

    The UUID is of version 8 (RFC 9562), made of the SHA-256 of the names.
    """
    digest = bytearray(hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return f"{UID_ROOT}.{uuid.UUID(bytes=bytes(digest)).int}"


def dicom_bytes(film: Radiograph, tags: Tags) -> bytes:
    """The file of one radiograph: digital X-ray, MONOCHROME2, explicit little endian. Equal arguments give equal bytes.

    Raises:
        InputError: the pixels do not fit `bits`, or pydicom is not installed.
    """
    pydicom = _pydicom()
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


def read_radiograph(path: Path) -> Radiograph:
    """The picture of a single-frame gray DICOM file; who it shows is not read.

    Raises:
        InputError: no DICOM, damaged, not one uncompressed gray frame of 9 to 16 bits, or pydicom is not installed.
    """
    pydicom = _pydicom()
    try:
        dataset = pydicom.dcmread(existing_file(path))
        _check_gray(path, dataset)
        pixels = np.frombuffer(dataset.PixelData, dtype="<u2", count=dataset.Rows * dataset.Columns)
        return _radiograph(dataset, pixels.reshape(dataset.Rows, dataset.Columns).astype(np.uint16))
    except (pydicom.errors.InvalidDicomError, AttributeError, EOFError, ValueError) as error:
        raise InputError(f"cannot read {path} as a DICOM radiograph: {error}", fix="Check the file.") from error


def _radiograph(dataset: Any, pixels: NDArray[np.uint16]) -> Radiograph:
    return Radiograph(
        pixels=pixels,
        bits=int(dataset.BitsStored),
        window=Window(center=float(dataset.WindowCenter), width=float(dataset.WindowWidth)),
        view=str(dataset.ViewPosition),
        body_part=str(dataset.BodyPartExamined).lower(),
        spacing_mm=float(dataset.ImagerPixelSpacing[0]),
        study_uid=str(dataset.StudyInstanceUID),
        series_uid=str(dataset.SeriesInstanceUID),
        instance_uid=str(dataset.SOPInstanceUID),
    )


def _check_gray(path: Path, dataset: Any) -> None:
    got = (
        f"{dataset.PhotometricInterpretation}, {dataset.SamplesPerPixel} sample(s), {dataset.BitsAllocated} bits, "
        f"{int(getattr(dataset, 'NumberOfFrames', 1))} frame(s), {dataset.file_meta.TransferSyntaxUID.name}"
    )
    wanted = "MONOCHROME2, 1 sample(s), 16 bits, 1 frame(s), Explicit VR Little Endian"
    if got != wanted:
        raise InputError(f"cannot read {path}", expected=wanted, got=got)


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


def _pydicom() -> Any:
    try:
        import pydicom
    except ModuleNotFoundError as error:
        raise InputError(
            "DICOM needs the package 'pydicom'", fix="Install the extra that brings it: pip install 'osler[dicom]'."
        ) from error
    return pydicom
