"""The door that patient identity does not pass: the bytes of a DICOM file in, an instance without a person out.

What comes back is either clean or held back with a reason in fixed words. Nothing here is logged, and no message of a
parser is repeated: it may quote the file.
"""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from osler.core.files import sha256_bytes
from osler.media.deid_header import Subject, Times, clean_header, load_profile, subject_of
from osler.media.deid_identity import Identity, identity_of
from osler.media.deid_key import Pseudonyms
from osler.media.deid_ocr import TextFinder, silent_libraries
from osler.media.deid_pixels import (
    Limits,
    Picture,
    Unfit,
    decode_picture,
    is_risky,
    mask_text,
    num_frames,
    write_picture,
)
from osler.media.deid_residue import Search, identity_strings
from osler.media.dicom import load_pydicom
from osler.media.image import encode_png8, encode_png16
from osler.media.presentation import Presentation, num_overlays, presentations_of, write_tables
from osler.media.window import full_range
from osler.schema.media import Window

Ocr = Literal["all", "risky"]
_PREAMBLE = 128
_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_MIN_DIGITS = 7


@dataclass(frozen=True)
class Policy:
    """How instances are cleaned.

    names: the keyed pseudonyms. finder: looks for text. ocr: `all` searches every picture; `risky` leaves out
    original gray slices and films that do not say they have text burned in. times: see `deid_header.Times`. limits:
    what is refused for its size.
    """

    names: Pseudonyms
    finder: TextFinder
    ocr: Ocr = "all"
    times: Times = "hour"
    limits: Limits = Limits()


@dataclass(frozen=True)
class Clean:
    """An instance without a person.

    uid: its new SOP Instance UID. dicom: the file, explicit little endian, uncompressed. picture, window: what it
    shows; the window is in stored values. facts: Modality, BodyPartExamined, ViewPosition, where known. num_masked:
    boxes of text painted over. presentations: how the header wants it shown. frames: which of `num_frames` were
    decoded; where they are not all, there is no file. num_overlays: planes beside the pixels, which are left out.
    class_uid: of the kind of object.
    """

    subject: Subject
    uid: str
    dicom: bytes = field(repr=False)
    picture: Picture = field(repr=False)
    window: Window | None
    facts: dict[str, str]
    num_masked: int
    presentations: tuple[Presentation, ...] = field(default=(), repr=False)
    frames: tuple[int, ...] = (0,)
    num_frames: int = 1
    num_overlays: int = 0
    class_uid: str = ""


@dataclass(frozen=True)
class HeldBack:
    """An instance that is not given on. The words before a colon are the kind that is counted."""

    reason: str


def deidentify(data: bytes, policy: Policy, *, frames: Sequence[int] | None = None) -> Clean | HeldBack:
    """One DICOM file without a person, or why it is held back. Raises InputError only where a package is missing.

    Args:
        data: the file.
        policy: how.
        frames: which are decoded, from 0; None for all.
    """
    load_pydicom()
    load_profile()
    try:
        with silent_libraries():
            return _cleaned(read_instance(data, policy.limits), sha256_bytes(data), policy, frames)
    except Unfit as error:
        return HeldBack(str(error))
    except Exception as error:  # noqa: BLE001 - what a parser says may quote the patient: only its kind is told
        return HeldBack(f"damaged: {type(error).__name__}")


def reopen(data: bytes, policy: Policy, *, frames: Sequence[int] | None = None) -> Clean | HeldBack:
    """A file that `deidentify` made, taken as it is: no second pseudonym, no second search for text.

    The study's pseudonym is not in the file; its instance number stands for the names below it.
    """
    try:
        with silent_libraries():
            dataset = read_instance(data, policy.limits)
            if str(dataset.get("PatientIdentityRemoved", "")) != "YES":
                raise Unfit("not de-identified")
            total = num_frames(dataset)
            wanted = range(total) if frames is None else sorted({n for n in frames if 0 <= n < total})
            picture = decode_picture(dataset, policy.limits, only=None if len(wanted) == total else wanted)
            presentations = _checked_presentations(dataset)
            if len(presentations) == total:
                presentations = tuple(presentations[number] for number in wanted)
            names = policy.names
            study, series = str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID)
            uid = str(dataset.SOPInstanceUID)
            subject = Subject(str(dataset.PatientID), names.token("study", study), names.token("series", series), uid)
            window = _stored_window(dataset)
            facts = _facts(dataset)
            kind = str(dataset.SOPClassUID)
            return Clean(subject, uid, data, picture, window, facts, 0, presentations, tuple(wanted), total, 0, kind)
    except Unfit as error:
        return HeldBack(str(error))
    except Exception as error:  # noqa: BLE001 - as in `deidentify`
        return HeldBack(f"damaged: {type(error).__name__}")


def header_identity(data: bytes) -> tuple[Any, Identity] | None:
    """The header of a DICOM file and who it names, for reports; None where it cannot be read. Kept in memory only."""
    try:
        with silent_libraries():
            dataset = read_instance(data, with_pixels=False)
            return dataset, identity_of(dataset)
    except Exception:  # noqa: BLE001 - as in `deidentify`
        return None


def png_frames(clean: Clean, frames: Sequence[int]) -> list[bytes]:
    """Frames as PNG: RGB, or gray with black as the least value; 16 bits where more than 8 are in use."""
    return [_png(clean.picture, number) for number in frames]


def shown_window(clean: Clean) -> Window:
    """The window of `png_frames`: the header's, or all stored values."""
    picture = clean.picture
    if clean.window is None:
        return full_range(picture.bits)
    center = clean.window.center + _offset(picture)
    return Window(center=(1 << picture.bits) - 1 - center if picture.inverted else center, width=clean.window.width)


def read_instance(data: bytes, limits: Limits | None = None, *, with_pixels: bool = True) -> Any:
    """A DICOM file as a dataset, its pixels not decoded.

    Raises:
        Unfit: no DICOM file, no picture, inflated beyond the limit. Whatever pydicom raises on damage comes through.
    """
    pydicom = load_pydicom()
    if data[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        raise Unfit("no DICOM file")
    _check_deflated(data, (limits or Limits()).inflated_bytes)
    dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=not with_pixels)
    if with_pixels and "PixelData" not in dataset:
        raise Unfit("no picture")
    if "TransferSyntaxUID" not in dataset.file_meta:
        raise Unfit("unknown transfer syntax")
    return dataset


def _check_deflated(data: bytes, most: int) -> None:
    """Refuse a deflated file that would fill the memory."""
    from pydicom.filereader import read_dataset

    stream = io.BytesIO(data)
    stream.seek(_PREAMBLE + 4)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    if str(meta.get("TransferSyntaxUID", "")) != _DEFLATED:
        return
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    rest, size = stream.read(), 0
    while rest and not unpacker.eof:
        size += len(unpacker.decompress(rest, 1 << 20))
        rest = unpacker.unconsumed_tail
        if size > most:
            raise Unfit("too large when inflated")


def _cleaned(dataset: Any, sha256: str, policy: Policy, wanted: Sequence[int] | None) -> Clean | HeldBack:
    identity = identity_of(dataset)
    subject = _subject(dataset, sha256, policy.names)
    total = num_frames(dataset)
    frames = range(total) if wanted is None else sorted({number for number in wanted if 0 <= number < total})
    whole = len(frames) == total
    picture = decode_picture(dataset, policy.limits, only=None if whole else frames)
    presentations, overlays = _checked_presentations(dataset), num_overlays(dataset)
    if not whole and len(presentations) == total:
        presentations = tuple(presentations[number] for number in frames)
    checked = policy.ocr == "all" or is_risky(dataset)
    window = _stored_window(dataset)
    num_masked = 0
    if checked:
        picture, num_masked = mask_text(picture, policy.finder, window)
    header = clean_header(dataset, subject, policy.names, times=policy.times, pixels_checked=checked)
    strings = [s for s in identity_strings(identity) if not s.isdigit() or len(s) >= _MIN_DIGITS]
    if Search(strings).numbers(_file_bytes(header)):
        return HeldBack("residue in the header")
    facts = _facts(header)
    write_picture(header, picture)
    if picture.is_gray:
        write_tables(header, presentations[0])
    return Clean(
        subject,
        str(header.SOPInstanceUID),
        _file_bytes(header) if whole else b"",
        picture,
        window if picture.is_gray else None,
        facts,
        num_masked,
        presentations,
        tuple(frames),
        total,
        overlays,
        str(header.SOPClassUID),
    )


def _facts(header: Any) -> dict[str, str]:
    return {k: str(header[k].value) for k in ("Modality", "BodyPartExamined", "ViewPosition") if k in header}


def spread(total: int, count: int) -> list[int]:
    """`count` numbers below `total`, each in the middle of an equal part of them; all where there are no more."""
    count = min(count, total)
    return [(2 * number + 1) * total // (2 * count) for number in range(count)]


def _checked_presentations(dataset: Any) -> tuple[Presentation, ...]:
    try:
        return presentations_of(dataset)
    except ValueError as error:
        raise Unfit("damaged: a lookup table or rescale without sense") from error


def _subject(dataset: Any, sha256: str, names: Pseudonyms) -> Subject:
    """Two files with one instance number and other bytes have names of their own."""
    uids = (dataset.get(k) for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"))
    if not all(str(uid or "").strip() for uid in uids):
        raise Unfit("no study, series or instance number")
    subject = subject_of(dataset, names)
    return Subject(subject.patient, subject.study, subject.series, names.token("instance", subject.instance, sha256))


def _stored_window(dataset: Any) -> Window | None:
    """The header's first window in stored values; None where it has none."""
    center, width = dataset.get("WindowCenter"), dataset.get("WindowWidth")
    if center is None or width is None:
        return None
    center, width = (value if isinstance(value, (int, float)) else value[0] for value in (center, width))
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    if slope <= 0 or not float(width) > 0:
        return None
    return Window(center=(float(center) - intercept) / slope, width=float(width) / slope)


def _file_bytes(dataset: Any) -> bytes:
    pydicom = load_pydicom()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = _EXPLICIT_LITTLE_ENDIAN
    dataset.file_meta.ImplementationClassUID = "2.25.2000187"
    dataset.file_meta.ImplementationVersionName = "OSLER"
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _offset(picture: Picture) -> int:
    """What is added to signed values so that none is below 0."""
    return 1 << (picture.bits - 1) if np.issubdtype(picture.frames.dtype, np.signedinteger) else 0


def _png(picture: Picture, number: int) -> bytes:
    frame = picture.frames[number]
    if not picture.is_gray:
        return encode_png8(frame)
    values = frame.astype(np.int32) + _offset(picture)
    top = (1 << picture.bits) - 1
    values = np.clip(top - values if picture.inverted else values, 0, top)
    return encode_png8(values.astype(np.uint8)) if picture.bits <= 8 else encode_png16(values.astype(np.uint16))
