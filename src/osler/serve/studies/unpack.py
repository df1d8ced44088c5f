"""Unpack: the DICOM files in the body of a request, in memory. Names in an archive are read to refuse bad ones only.

No name becomes a path: nothing here writes, so an archive has no folder to break out of.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from osler.serve.studies.refused import Refused

_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_EMPTY_ZIP = _ZIP_END
_END_BYTES = 22
_COMMENT_BYTES = 1 << 16
_ENTRY_BYTES = 1024
_DRIVE = re.compile(r"[A-Za-z]:")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FILE_TYPES = (0, 0o100000)
_SKIPPED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "DICOMDIR", "dicomdir")
TYPES = "application/dicom, application/zip, multipart/form-data or multipart/related"


@dataclass(frozen=True)
class Amounts:
    """parts: files in a body, those in archives counted. inflated_bytes: of all of them together."""

    parts: int = 2000
    inflated_bytes: int = 512 << 20


def parts_of(body: bytes, content_type: str, amounts: Amounts) -> list[bytes | Refused]:
    """Every file of a body in its order; a file that is not taken is there as its refusal.

    Raises:
        Refused: the body as a whole: of another type, broken, with too many files or too much in them.
    """
    kind, boundary = _kind(content_type)
    files = _multipart(body, boundary, amounts) if kind.startswith("multipart/") else [body]
    found: list[bytes | Refused] = []
    left = amounts.inflated_bytes
    for file in files:
        if not file.startswith((_ZIP, _EMPTY_ZIP)):
            found.append(file)
            left -= len(file)
        else:
            for member in _members(file, amounts, left):
                found.append(member)
                left -= len(member) if isinstance(member, bytes) else 0
        if len(found) > amounts.parts:
            raise Refused("too many files", f"at most {amounts.parts}", status=413)
        if left < 0:
            raise Refused("too much in the files", f"at most {amounts.inflated_bytes} bytes", status=413)
    if not found:
        raise Refused("no file in the request", TYPES)
    return found


def _kind(content_type: str) -> tuple[str, bytes]:
    message = Message()
    message["content-type"] = content_type
    kind, boundary = message.get_content_type(), message.get_param("boundary")
    if kind in {"application/dicom", "application/zip", "application/octet-stream"}:
        return kind, b""
    if kind not in {"multipart/form-data", "multipart/related"}:
        raise Refused("a body of another type", TYPES, status=415)
    if not isinstance(boundary, str) or not 0 < len(boundary) <= 70 or not boundary.isascii():
        raise Refused("a multipart body without a boundary")
    return kind, boundary.encode("ascii")


def _multipart(body: bytes, boundary: bytes, amounts: Amounts) -> list[bytes]:
    """The contents of the parts (RFC 2046, 5.1); headers of parts are not used, as a part says what it is itself."""
    mark = b"\r\n--" + boundary
    whole = b"\r\n" + body
    at = whole.find(mark)
    files: list[bytes] = []
    while at >= 0:
        at += len(mark)
        if whole[at : at + 2] == b"--":
            return files
        start = whole.find(b"\r\n\r\n", at)
        end = whole.find(mark, at)
        if start < 0 or end < 0 or start > end:
            break
        files.append(whole[start + 4 : end])
        if len(files) > amounts.parts:
            raise Refused("too many files", f"at most {amounts.parts}", status=413)
        at = end
    raise Refused("a multipart body that is cut off")


def _members(data: bytes, amounts: Amounts, left: int) -> Iterator[bytes | Refused]:
    """The files of an archive. Nothing is inflated before the sizes in its directory are added up."""
    _check_directory(data, amounts)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir() and not _is_skipped(info.filename)]
            if len(infos) > amounts.parts:
                raise Refused("too many files", f"at most {amounts.parts}", status=413)
            if sum(info.file_size for info in infos) > left:
                raise Refused("too much in the files", f"at most {amounts.inflated_bytes} bytes", status=413)
            for info in infos:
                yield _member(archive, info)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, struct.error) as error:
        raise Refused("a damaged archive") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | Refused:
    if _is_unsafe(info.orig_filename):
        return Refused("a name in an archive that leads out of it")
    if (info.external_attr >> 16) & 0o170000 not in _FILE_TYPES:
        return Refused("an entry of an archive that is no plain file")
    if info.flag_bits & 1 or info.compress_type not in _METHODS:
        return Refused("an entry of an archive that is encrypted or packed in another way")
    with archive.open(info) as file:
        data = file.read(info.file_size + 1)
    if len(data) > info.file_size:
        raise Refused("an archive with more in it than it says", status=413)
    return data


def _check_directory(data: bytes, amounts: Amounts) -> None:
    """The directory's size, before the library makes an object of each of its entries."""
    at = data.rfind(_ZIP_END, max(0, len(data) - _END_BYTES - _COMMENT_BYTES))
    if at < 0 or len(data) - at < _END_BYTES:
        raise Refused("a damaged archive")
    _, _, _, count, size, start = struct.unpack_from("<HHHHII", data, at + 4)
    if count == 0xFFFF or 0xFFFFFFFF in {size, start}:
        raise Refused("an archive of more than 65,534 files or 4 GB", status=413)
    if size > _ENTRY_BYTES * amounts.parts:
        raise Refused("too many files", f"at most {amounts.parts}", status=413)


def _is_unsafe(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return name.startswith(("/", "\\")) or ".." in parts or "\0" in name or bool(_DRIVE.match(name))


def _is_skipped(name: str) -> bool:
    return name.startswith(_SKIPPED[0]) or name.rpartition("/")[2] in _SKIPPED[1:]
