"""What the tests of studies share: a reader without a text detector, hostile files, and an app around it."""

import io
import struct
import warnings
import zipfile
import zlib

import numpy as np

from identities import DEFLATED, EXPLICIT, RLE, dicom_file
from osler.serve.studies.config import StudiesConfig, open_studies
from osler.serve.studies.routes import studies_router
from osler.serve.studies.work import Rules, work_under
from serve_world import UNHURRIED, Saying, Served

TARGET = "studies_world:start"
FRAME_BYTES = 96 * 128 * 2


class NoText:
    """Finds no text: headers and parsers are what is tested."""

    def find(self, view):
        return []


def start(options):
    """The product's work without its text detector."""
    return work_under(Rules(**{**options, "markers": tuple(options["markers"])}), NoText())


def opened(*, recorder=None, **config):
    return open_studies(StudiesConfig.parse(config), recorder=recorder, target=TARGET)


def served(studies, **options) -> Served:
    return Served(Saying(), routers=[studies_router(studies)], limits=options.pop("limits", UNHURRIED), **options)


def zipped(files: dict[str, bytes], *, packed=True) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def multipart(files: list[bytes], *, boundary="b0undary") -> tuple[bytes, str]:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{n}.dcm"\r\n\r\n'.encode() + data
        for n, data in enumerate(files)
    ]
    return b"\r\n".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def traversals() -> list[bytes]:
    """Twenty archives with an entry that wants to be elsewhere."""
    names = [
        "../a.dcm", "../../../../tmp/a.dcm", "/tmp/a.dcm", "/etc/cron.d/a", "..\\a.dcm", "..\\..\\windows\\a.dcm",
        "C:\\a.dcm", "C:/a.dcm", "c:a.dcm", "\\\\server\\share\\a.dcm", "x/../../a.dcm", "./../a.dcm", "x/..",
        "\\a.dcm", "//a.dcm", "d/../../../root/.ssh/authorized_keys",
    ]  # fmt: skip
    archives = [zipped({name: dicom_file()}) for name in names]
    archives.append(zipped({"aQQQb.dcm": dicom_file()}).replace(b"aQQQb", b"a\0../b"[:5]))
    for mode in (0o120777, 0o020666, 0o010644):  # a link, a device, a pipe
        info = zipfile.ZipInfo("a.dcm")
        info.create_system, info.external_attr = 3, mode << 16
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(info, "/etc/passwd")
        archives.append(buffer.getvalue())
    return archives


def deflated_bomb(size: int = 1 << 30) -> bytes:
    data = dicom_file(syntax=DEFLATED)
    start_at = data.index(DEFLATED.encode()) + len(DEFLATED)
    packer = zlib.compressobj(wbits=-15)
    packed = [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
    return data[:start_at] + b"".join(packed) + packer.flush()


def hidden_deflated_bomb() -> bytes:
    """The transfer syntax stands far behind a long element of the file meta information."""
    bomb = deflated_bomb()
    long = b"\x02\x00\x01\x00OB\0\0" + struct.pack("<I", 8192) + bytes(8192)
    if bomb[132:136] != b"\x02\x00\x00\x00":
        return bomb[:132] + long + bomb[132:]
    (length,) = struct.unpack_from("<I", bomb, 140)
    return bomb[:140] + struct.pack("<I", length + len(long)) + long + bomb[144:]


def forged(data: bytes, **elements) -> bytes:
    """The same file with other elements and the same pixels."""
    import pydicom

    with warnings.catch_warnings(action="ignore"):
        dataset = pydicom.dcmread(io.BytesIO(data))
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        return buffer.getvalue()


def encapsulated(frame: bytes, syntax: str, **elements) -> bytes:
    import pydicom
    from pydicom.encaps import encapsulate

    dataset = pydicom.dcmread(io.BytesIO(dicom_file(pixels=np.zeros((96, 128), "uint8"))))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def picture_file(kind: str, rows: int, columns: int, **options) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (columns, rows)).save(buffer, kind, **options)
    return buffer.getvalue()


def bombs() -> dict[str, tuple[bytes, str]]:
    """Files that want more memory or time than they are worth, and their media types."""
    dicom, archive = "application/dicom", "application/zip"
    rle = dicom_file(syntax=RLE, pixels=np.zeros((96, 128), "uint8"))
    plain = dicom_file(syntax=EXPLICIT)
    jpeg, j2k = picture_file("JPEG", 20000, 20000, quality=20), picture_file("JPEG2000", 12000, 12000)
    many = zipped({f"{n}.dcm": b"" for n in range(20_000)}, packed=False)
    return {
        "deflated to 1 GiB": (deflated_bomb(), dicom),
        "deflated to 1 GiB, syntax far behind": (hidden_deflated_bomb(), dicom),
        "RLE of 30000 x 30000": (forged(rle, Rows=30000, Columns=30000), dicom),
        "RLE of 6000 x 6000": (forged(rle, Rows=6000, Columns=6000), dicom),
        "a million frames of RLE": (forged(rle, NumberOfFrames=1_000_000), dicom),
        "2 billion frames": (forged(plain, NumberOfFrames=2_000_000_000), dicom),
        "uncompressed of 60000 x 60000": (forged(plain, Rows=60000, Columns=60000), dicom),
        "JPEG of 20000 x 20000 in a file of 96 x 128": (encapsulated(jpeg, "1.2.840.10008.1.2.4.50"), dicom),
        "JPEG of 20000 x 20000": (encapsulated(jpeg, "1.2.840.10008.1.2.4.50", Rows=20000, Columns=20000), dicom),
        "JPEG 2000 of 12000 x 12000 in a file of 96 x 128": (encapsulated(j2k, "1.2.840.10008.1.2.4.90"), dicom),
        "zip of 1 GiB of zeros": (_zip_of_zeros(1 << 30), archive),
        "zip with a forged size": (_zip_forged(), archive),
        "zip of 20,000 files": (many, archive),
        "zip whose entries overlap": (_zip_overlapping(), archive),
        "sequences 20,000 deep": (_deep_sequences(20_000), dicom),
    }


def _zip_of_zeros(size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.dcm", "w") as file:
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))
    return buffer.getvalue()


def _zip_forged() -> bytes:
    """The directory says 10 bytes, the stream holds 256 MiB."""
    data = bytearray(_zip_of_zeros(256 << 20))
    directory = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 10)
    return bytes(data)


def _zip_overlapping() -> bytes:
    """A thousand entries of the directory, each of them the same megabyte of zeros."""
    data = zipped({"a.dcm": bytes(1 << 20)})
    at, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry = data[at:end]
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1000, 1000, 1000 * len(entry), at, 0)
    return data[:at] + entry * 1000 + tail


def _deep_sequences(depth: int) -> bytes:
    head = dicom_file()
    start_at = head.index(b"\x08\x00\x05\x00") if b"\x08\x00\x05\x00" in head else head.index(b"\x08\x00\x08\x00")
    opening = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    return head[:start_at] + opening * depth + head[start_at:]
