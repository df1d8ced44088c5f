"""DICOM files with an invented person in every corner, for the tests of de-identification."""

import io
import warnings
from dataclasses import dataclass

import numpy as np

KEY = bytes(range(7, 71))


@dataclass
class Planted:
    """Strings that must not survive; each call of the object plants one more."""

    strings: list[str]

    def __call__(self, before: str = "", after: str = "") -> str:
        number = len(self.strings)
        letters = "".join("ABCDEFGHKLMNPRSTUVWY"[(number * 7 + k * 3 + number // (k + 1)) % 20] for k in range(4))
        self.strings.append(f"Q{letters}{number:03d}Z")
        return f"{before}{self.strings[-1]}{after}"


TEXT_ELEMENTS = (
    "PatientID OtherPatientIDs AccessionNumber InstitutionName InstitutionAddress StationName StudyDescription "
    "SeriesDescription PatientComments ImageComments DeviceSerialNumber ProtocolName AdmissionID PatientAddress "
    "PatientTelephoneNumbers InstitutionalDepartmentName Manufacturer ManufacturerModelName SoftwareVersions "
    "BodyPartExamined RequestedProcedureDescription AdditionalPatientHistory MedicalAlerts Allergies Occupation"
)
PERSONS = "PatientName ReferringPhysicianName OperatorsName PerformingPhysicianName PatientMotherBirthName"
JPEG, J2K, RLE = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"
BIG, IMPLICIT, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99"
EXPLICIT = "1.2.840.10008.1.2.1"


def gradient(rows=96, columns=128, dtype="uint16", top=4000):
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    return ((x + y) * top // (rows + columns)).astype(dtype)


def dicom_file(number=1, **options) -> bytes:
    """A radiograph of patient number `number // 4`: `planted`, `syntax`, `pixels`, and elements to add or replace."""
    with warnings.catch_warnings(action="ignore"):  # pydicom warns of the odd values that are planted
        return _dicom_file(number, **options)


def _dicom_file(number, *, planted=None, syntax=EXPLICIT, pixels=None, **elements) -> bytes:
    import pydicom
    from pydicom.dataset import FileMetaDataset

    pixels = gradient() if pixels is None else pixels
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.StudyInstanceUID = f"1.2.826.0.1.77{number // 2:03d}"
    dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"1.2.826.0.1.88{number:03d}", f"1.2.826.0.1.99{number:03d}"
    dataset.Modality, dataset.PatientSex, dataset.PatientAge = "DX", "F", "093Y"
    dataset.StudyDate, dataset.SeriesDate, dataset.StudyTime = "20190305", "20190307", "142233.5"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "DOE^JANE", f"MRN{number // 4:05d}", "19260102"
    dataset.ImageType, dataset.ViewPosition, dataset.BodyPartExamined = ["ORIGINAL", "PRIMARY"], "PA", "CHEST"
    if planted is not None:
        _plant(dataset, planted)
    _put_pixels(dataset, pixels)
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    if syntax in {JPEG, J2K, RLE}:
        _compress(dataset, syntax, pixels, planted)
    dataset.preamble = (planted("pre ").encode() if planted else b"").ljust(128, b"\0")
    buffer = io.BytesIO()
    big, implicit = syntax == BIG, syntax == IMPLICIT
    if big:
        dataset["PixelData"].value = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
    pydicom.dcmwrite(buffer, dataset, little_endian=not big, implicit_vr=implicit, enforce_file_format=False)
    return buffer.getvalue() + (planted("after ").encode() if planted and syntax != DEFLATED else b"")


def _put_pixels(dataset, pixels) -> None:
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    colour = pixels.ndim == 3
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        dataset.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    dataset.BitsAllocated = bits
    dataset.BitsStored, dataset.HighBit = (8, 7) if bits == 8 else (12, 11)
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OB" if bits == 8 else "OW"


def _plant(dataset, planted: Planted) -> None:
    import pydicom

    for keyword in TEXT_ELEMENTS.split():
        setattr(dataset, keyword, planted())
    for keyword in PERSONS.split():
        setattr(dataset, keyword, f"{planted()}^{planted()}")
    inner = pydicom.Dataset()
    inner.PatientName, inner.RequestedProcedureDescription = planted(), planted()
    step = pydicom.Dataset()
    step.RequestedProcedureID, step.CodeMeaning = planted(), planted()
    step.ReferencedPatientSequence = [inner]
    dataset.RequestAttributesSequence = [step]
    group = pydicom.Dataset()  # a sequence that may stay, with what must not
    group.PatientComments, group.BodyPartExamined = planted(), planted()
    dataset.SharedFunctionalGroupsSequence = [group]
    block = dataset.private_block(0x0011, planted(), create=True)
    block.add_new(1, "LO", planted())
    block.add_new(2, "UN", planted().encode())
    block.add_new(3, "SQ", [inner])
    overlay = planted().ljust(12 * 128 // 8 * 8, " ").encode()[: 12 * 128]
    dataset.add_new((0x6000, 0x0010), "US", 96)
    dataset.add_new((0x6000, 0x0011), "US", 128)
    dataset.add_new((0x6000, 0x1500), "LO", planted())
    dataset.add_new((0x6000, 0x4000), "LT", planted())
    dataset.add_new((0x6000, 0x3000), "OW", overlay)
    dataset.add_new((0x5000, 0x2500), "LO", planted())


def _compress(dataset, syntax, pixels, planted) -> None:
    from PIL import Image
    from pydicom.encaps import encapsulate

    if syntax == RLE:
        dataset.file_meta.TransferSyntaxUID = EXPLICIT
        dataset.compress(RLE, generate_instance_uid=False)
        return
    buffer = io.BytesIO()
    comment = planted("by ").encode() if planted else b""
    if syntax == JPEG:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=95, comment=comment)
        if pixels.ndim == 3:
            dataset.PhotometricInterpretation = "YBR_FULL_422"
    else:
        Image.fromarray(pixels).save(buffer, "JPEG2000", irreversible=False, comment=comment, mct=0)
    dataset.PixelData = encapsulate([buffer.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True


def write_on(pixels: np.ndarray, words: str, at=(8, 14), value: int = 255) -> np.ndarray:
    """The pixels with words drawn on them, as a scanner's console would."""
    import cv2

    layer = np.zeros(pixels.shape[:2], np.uint8)
    cv2.putText(layer, words, (at[0], at[1] + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.55, 255, 1, cv2.LINE_AA)
    out = pixels.copy()
    out[layer > 96] = value
    return out
