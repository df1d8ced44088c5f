"""Codestream: what the header of a compressed frame says of its own size, read before a decoder believes it.

A decoder of JPEG makes room for the size in its codestream, whatever the DICOM header around it says.
"""

import struct
from dataclasses import dataclass

_SOI, _SOC, _SIZ = b"\xff\xd8", b"\xff\x4f", b"\xff\x51"
_JP2 = b"jp2c"
_BOX_HEAD = 8
_MOST_BOXES = 64
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_ALONE = frozenset(range(0xD0, 0xD9)) | {0x01}
_SIZE_BYTES = 40


@dataclass(frozen=True)
class FrameSize:
    """Rows, columns, samples a pixel, bits a sample."""

    rows: int
    columns: int
    samples: int
    bits: int


def frame_size(data: bytes) -> FrameSize | None:
    """The size that a JPEG, JPEG-LS or JPEG 2000 frame states; None where it is none of these or is cut off."""
    if data.startswith(_SOI):
        return _jpeg_size(data)
    start = 0 if data.startswith(_SOC) else _codestream_start(data)
    if start is None or data[start : start + 2] != _SOC:
        return None
    return _j2k_size(data[start : start + 2 + 2 + _SIZE_BYTES])


def _jpeg_size(data: bytes) -> FrameSize | None:
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _FRAME_MARKERS:
            if length < 8 or at + 10 > len(data):
                return None
            bits, rows, columns, samples = struct.unpack_from(">BHHB", data, at + 4)
            return FrameSize(rows, columns, samples, bits)
        if length < 2:
            return None
        at += 2 + length
    return None


def _codestream_start(data: bytes) -> int | None:
    """Where the codestream begins in a JP2 file (ISO/IEC 15444-1, I.4). A box that is shorter than its own head would
    keep a reader at its place for ever, as it does pydicom's.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        if at + _BOX_HEAD > len(data):
            return None
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == _JP2:
            return at + _BOX_HEAD
        if length < _BOX_HEAD:
            return None
        at += length
    return None


def _j2k_size(head: bytes) -> FrameSize | None:
    if len(head) < 4 + _SIZE_BYTES - 1 or head[2:4] != _SIZ:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", head, 8)
    (samples,) = struct.unpack_from(">H", head, 40)
    bits = (head[42] & 0x7F) + 1
    return FrameSize(max(bottom - top, 0), max(right - left, 0), samples, bits)
