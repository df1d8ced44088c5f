"""The one place where rapidocr-onnxruntime is loaded: networks that find and read print, inside its wheel."""

from typing import Any

from osler.core.errors import InputError

_PACKAGE = "rapidocr_onnxruntime"


def load_ocr(purpose: str, *, extra: str, num_threads: int = 1, max_side_px: int = 2000) -> Any:
    """A `RapidOCR`, which takes BGR uint8 [height, width, 3]. Loading takes a fraction of a second.

    Args:
        purpose: what it is for, as the subject of the error's sentence.
        extra: the extra of this package that installs it.
        num_threads: threads of the runtime.
        max_side_px: a larger picture is shrunk to this before it is searched.

    Raises:
        InputError: the package is not installed, or the system lacks a library that it needs.
    """
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ImportError as error:  # OpenCV's, too, where the system lacks a library of graphics
        fault = "is not installed" if error.name == _PACKAGE else "does not load"
        raise InputError(
            f"{purpose} needs rapidocr-onnxruntime, which {fault}: {error}",
            fix=f"pip install 'osler[{extra}]'; where libGL is missing: apt install libgl1.",
        ) from error
    return RapidOCR(intra_op_num_threads=num_threads, inter_op_num_threads=num_threads, max_side_len=max_side_px)
