"""The pixels of a DICOM instance without burned-in text.

They are always decoded and stored anew, uncompressed: a compressed stream has room for comments, and bits that no
value uses can hold an old-style overlay. What cannot be decoded here is not written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osler.media.codestream import frame_size
from osler.media.deid_ocr import Found, TextFinder
from osler.media.window import apply_window, spanning
from osler.schema.media import Window

_ITEM_BYTES = 8
_RLE = "1.2.840.10008.1.2.5"
_RLE_RATIO = 64
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_PLUGINS = ("pydicom", "pyjpegls", "pillow", "pylibjpeg", "gdcm")
_PILLOW_BITS = 8
_MAX_MASKED_SHARE = 0.4
_ROUNDS = 5
_GROW_PX = 3
_RISKY_MODALITIES = frozenset({"US", "SC", "XA", "RF", "OT", "ES", "GM", "SM", "XC", "OP", "OPT", "DOC", "IVUS", "ECG"})
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


class Unfit(Exception):
    """An instance cannot be given on; the message is the reason, in fixed words that quote nothing of it."""


@dataclass(frozen=True)
class Picture:
    """Decoded frames.

    frames: [frames, rows, columns] for gray, [frames, rows, columns, 3] for RGB.
    bits: in use of each value. inverted: the least value is white (MONOCHROME1).
    """

    frames: NDArray[Any]
    bits: int
    inverted: bool

    @property
    def is_gray(self) -> bool:
        """Gray, one value a pixel."""
        return self.frames.ndim == 3

    @property
    def black(self) -> int:
        """The value that is shown black."""
        if not self.is_gray:
            return 0
        signed = np.issubdtype(self.frames.dtype, np.signedinteger)
        low, high = (-(1 << self.bits - 1), (1 << self.bits - 1) - 1) if signed else (0, (1 << self.bits) - 1)
        least, most = max(low, int(self.frames.min())), min(high, int(self.frames.max()))
        return most if self.inverted else least


@dataclass(frozen=True)
class Limits:
    """What is refused before anything makes room for it.

    inflated_bytes: of a deflated file. values: of all frames that are decoded. frame_pixels: of one frame.
    """

    inflated_bytes: int = 1 << 30
    values: int = 1 << 29
    frame_pixels: int = 1 << 29


def decode_picture(dataset: Any, limits: Limits | None = None, *, only: Sequence[int] | None = None) -> Picture:
    """The frames of an instance; YBR and palettes become RGB.

    Args:
        dataset: as read.
        limits: of the size.
        only: which frames; None for all.

    Raises:
        Unfit: no picture, too large, of a depth that is not an image's, or in a compression without a decoder here.
    """
    from pydicom.pixels import apply_color_lut

    frames = _checked_layout(dataset, limits or Limits(), 0 if only is None else len(only))
    decoder, plugin = _decoder(dataset, frames)
    stored, allocated = int(dataset.BitsStored), int(dataset.BitsAllocated)
    options: dict[str, Any] = {"raw": False, "correct_unused_bits": True, "decoding_plugin": plugin}
    if only is None:
        values, facts = decoder.as_array(dataset, **options)
    else:
        parts = [decoder.as_array(dataset, index=number, **options) for number in only]
        values, facts = np.stack([part[0] for part in parts]), parts[0][1]
    kind = str(facts["photometric_interpretation"])
    shape = (frames if only is None else len(only), int(dataset.Rows), int(dataset.Columns))
    if kind == "PALETTE COLOR":
        colours = apply_color_lut(values, dataset)
        return Picture(_to_8_bits(colours).reshape(*shape, 3), 8, inverted=False)
    if kind in {"MONOCHROME1", "MONOCHROME2"}:
        return Picture(np.array(values).reshape(shape), stored, inverted=kind == "MONOCHROME1")
    if kind == "RGB" and allocated == 8:
        return Picture(np.array(values).reshape(*shape, 3), 8, inverted=False)
    if kind == "RGB":
        return Picture(_to_8_bits(values, stored).reshape(*shape, 3), 8, inverted=False)
    raise Unfit("another kind of colour")


def num_frames(dataset: Any) -> int:
    """How many frames the header states."""
    return int(dataset.get("NumberOfFrames") or 1)


def _checked_layout(dataset: Any, limits: Limits, num_wanted: int) -> int:
    """The number of frames, where the header describes pixels that can be decoded. Makes room for none of them."""
    if "PixelData" not in dataset or "Rows" not in dataset:
        raise Unfit("no picture")
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if allocated not in {8, 16} or not 1 < stored <= allocated:
        raise Unfit(f"pixels of another depth: {allocated} bits")
    frames, samples = num_frames(dataset), int(dataset.SamplesPerPixel)
    pixels = int(dataset.Rows) * int(dataset.Columns)
    if not (frames > 0 and samples in {1, 3} and 0 < pixels <= limits.frame_pixels):
        raise Unfit("too many pixels")
    if (num_wanted or frames) * pixels * samples > limits.values:
        raise Unfit("too many pixels")
    packed = len(dataset.PixelData)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated and packed < _ITEM_BYTES * frames:
        raise Unfit("too many pixels: fewer fragments than frames")
    if syntax == _RLE and frames * pixels * samples * allocated // 8 > _RLE_RATIO * packed:
        raise Unfit("too many pixels: more than run lengths can hold")
    return frames


def _decoder(dataset: Any, frames: int) -> tuple[Any, str]:
    """Who decodes: the same package wherever it is installed, so that a picture does not depend on what else is."""
    from pydicom.encaps import generate_frames
    from pydicom.pixels import get_decoder
    from pydicom.uid import JPEG2000TransferSyntaxes

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise Unfit("unknown transfer syntax") from error
    if not syntax.is_encapsulated:
        return decoder, ""
    deepest = 0
    if syntax != _RLE:
        for frame in generate_frames(dataset.PixelData, number_of_frames=frames):
            size = frame_size(frame)
            if size is None or (size.rows, size.columns) != (dataset.Rows, dataset.Columns):
                raise Unfit("damaged: a compressed frame is of another size than the header says")
            deepest = max(deepest, size.bits)
    known = [plugin for plugin in _PLUGINS if plugin in decoder.available_plugins]
    if deepest > _PILLOW_BITS or syntax in JPEG2000TransferSyntaxes:
        known = [plugin for plugin in known if plugin != "pillow"]
    if deepest > _PILLOW_BITS and syntax == _JPEG_EXTENDED:
        known = [plugin for plugin in known if plugin != "gdcm"]
    if not known:
        raise Unfit(f"no decoder: {syntax.name}")
    return decoder, known[0]


def write_picture(clean: Any, picture: Picture) -> None:
    """Put `picture` and the elements that describe its layout into the header `clean`."""
    frames, rows, columns = picture.frames.shape[:3]
    signed = np.issubdtype(picture.frames.dtype, np.signedinteger)
    wide = picture.frames.dtype.itemsize == 2
    clean.Rows, clean.Columns = rows, columns
    clean.SamplesPerPixel = 1 if picture.is_gray else 3
    clean.PhotometricInterpretation = (
        ("MONOCHROME1" if picture.inverted else "MONOCHROME2") if picture.is_gray else "RGB"
    )
    clean.BitsAllocated, clean.BitsStored, clean.HighBit = (16 if wide else 8), picture.bits, picture.bits - 1
    clean.PixelRepresentation = int(signed)
    if not picture.is_gray:
        clean.PlanarConfiguration = 0
    if frames > 1:
        clean.NumberOfFrames = frames
    data = np.ascontiguousarray(picture.frames.astype(picture.frames.dtype.newbyteorder("<"))).tobytes()
    clean.PixelData = data + b"\0" * (len(data) % 2)
    clean["PixelData"].VR = "OW" if wide else "OB"


def is_risky(dataset: Any) -> bool:
    """Likely to have text in its pixels: no original slice or film, or it says so, or it does not say what it is."""
    if dataset.get("Modality", "") in _RISKY_MODALITIES or str(dataset.get("BurnedInAnnotation", "")).upper() == "YES":
        return True
    if str(dataset.get("SOPClassUID", "")).startswith(_SECONDARY_CAPTURE):
        return True
    kinds = [str(kind).upper() for kind in dataset.get("ImageType") or ()]
    return kinds[:2] != ["ORIGINAL", "PRIMARY"] or int(dataset.get("SamplesPerPixel") or 1) != 1


def mask_text(picture: Picture, finder: TextFinder, window: Window | None) -> tuple[Picture, int]:
    """The picture with every text but markers painted black, and how many boxes were painted.

    It is searched again after each painting, so what comes back has been looked at and found clean.

    Raises:
        Unfit: text is left after five rounds, or so much is painted that the picture is a page of text.
    """
    frames = picture.frames.copy()
    masked = np.zeros(frames.shape[1:3], bool)
    num_boxes = 0
    for round_number in range(_ROUNDS + 1):
        boxes = _text_boxes(replace(picture, frames=frames), finder, window, masked)
        if not boxes:
            return replace(picture, frames=frames), num_boxes
        if round_number == _ROUNDS:
            break
        for x0, y0, x1, y1 in boxes:
            grow = _GROW_PX + (y1 - y0) // 8
            masked[max(y0 - grow, 0) : y1 + grow, max(x0 - grow, 0) : x1 + grow] = True
        num_boxes += len(boxes)
        if masked.mean() > _MAX_MASKED_SHARE:
            raise Unfit("burned-in text covers too much of the picture")
        frames[:, masked] = picture.black
    raise Unfit("burned-in text is left after masking")


def _text_boxes(
    picture: Picture, finder: TextFinder, window: Window | None, masked: NDArray[np.bool_]
) -> list[tuple[int, int, int, int]]:
    """Text in any frame that is no marker and is not painted yet. What stands in one frame is painted in all."""
    found: list[Found] = []
    last: NDArray[Any] | None = None
    for frame in picture.frames:
        if last is not None and np.array_equal(frame, last):
            continue
        last = frame
        for view in text_views(frame, inverted=picture.inverted, window=window):
            found += finder.find(view)
    left = [f.box for f in found if not f.is_marker]
    return [box for box in dict.fromkeys(left) if not masked[box[1] : box[3], box[0] : box[2]].all()]


def text_views(frame: NDArray[Any], *, inverted: bool, window: Window | None) -> Iterator[NDArray[np.uint8]]:
    """The 8-bit views in which text is looked for.

    What the header's window shows is what a reader sees. Beside it stands a view in which each stored value has an
    equal share of the range: white letters on a nearly white ground, invisible in the first, are plain in it.
    """
    if frame.ndim == 3:
        yield np.asarray(frame, np.uint8)
        frame = frame.max(axis=2)
    else:
        low, high = (float(edge) for edge in np.percentile(frame, (0.5, 99.5)))
        shown = window or spanning(low, high)
        first = apply_window(frame, shown)
        yield 255 - first if inverted else first
    yield equalised(frame)


def equalised(frame: NDArray[Any]) -> NDArray[np.uint8]:
    """Values by rank: the share of pixels below, and the share of distinct values below, half each."""
    values, inverse, counts = np.unique(frame, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / frame.size
    steps = np.arange(len(values)) / max(len(values) - 1, 1)
    table = np.rint(255 * (ranks + steps) / 2).astype(np.uint8)
    return table[inverse].reshape(frame.shape)


def _to_8_bits(values: NDArray[Any], bits: int = 16) -> NDArray[np.uint8]:
    return values.astype(np.uint8) if values.dtype.itemsize == 1 else (values >> (bits - 8)).astype(np.uint8)
