"""A trained panel detector as an ONNX file in place of the weight-free cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from osler.core.errors import InputError, did_you_mean
from osler.core.files import existing_file
from osler.curate.panels.boxes import Box, PanelLayout, area, iou, overlap, reading_order

MAX_PANELS = 30


class Session(Protocol):
    """What is used of an onnxruntime session."""

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, each with a name."""

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, each with a name."""

    def run(self, output_names: Sequence[str], feed: dict[str, np.ndarray]) -> Sequence[Any]:
        """The outputs of these names."""


@dataclass(frozen=True, kw_only=True)
class DetectorLayout:
    """What a detector takes and gives.

    The input is float32 [1, 3, `input_px`, `input_px`]: RGB from 0 to 1, the figure shrunk to fit the top left and
    white elsewhere. Boxes are float [N, 4] or [1, N, 4]: x0, y0, x1, y1 in pixels of the input, or in fractions of it
    where `fractions` is set. Scores are [N] or [1, N], 0 to 1.
    """

    input_name: str = "images"
    boxes_name: str = "boxes"
    scores_name: str = "scores"
    input_px: int = 640
    fractions: bool = False


def open_session(path: Path, layout: DetectorLayout) -> Session:
    """A session on one thread of the processor. Raises InputError for no ONNX file, or one with other names."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(
            "a panel detector needs onnxruntime, which is not installed", fix="pip install 'osler[curate]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what is wrong is told once, by the error below
    data = existing_file(path).read_bytes()
    try:
        session: Session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"{path} is no ONNX model that can be run: {str(error)[:200]}") from error
    check_names(session, layout, str(path))
    return session


def check_names(session: Session, layout: DetectorLayout, path: str) -> None:
    """Raises InputError where the model lacks a name of the layout, or has further inputs."""
    inputs, outputs = [item.name for item in session.get_inputs()], [item.name for item in session.get_outputs()]
    if inputs != [layout.input_name]:
        raise InputError(
            f"{path}: the detector's inputs differ",
            expected=repr(layout.input_name),
            got=", ".join(map(repr, inputs)) or "none",
            fix="Give input_name.",
        )
    for name in (layout.boxes_name, layout.scores_name):
        if name not in outputs:
            known = ", ".join(map(repr, outputs)) or "none"
            raise InputError(f"{path}: the detector has no output {name!r}", got=known, fix=did_you_mean(name, outputs))


def detect_panels(
    pixels: np.ndarray, session: Session, *, layout: DetectorLayout, min_score: float = 0.5, sure_score: float = 0.7
) -> PanelLayout:
    """The panels that a detector sees in a figure.

    Args:
        pixels: uint8, shape [height, width] or [height, width, 3].
        session: the model.
        layout: what it takes and gives.
        min_score: boxes below it are left out.
        sure_score: below it the layout is uncertain, as it is where no box is left or panels overlap.

    Raises:
        InputError: the model fails on the figure, or its outputs have another shape or are not finite.
    """
    height, width = pixels.shape[:2]
    feed, scale = _input(pixels, layout.input_px)
    boxes, scores = _outputs(session, layout, feed)
    unit = layout.input_px if layout.fractions else 1
    order = np.argsort(-scores, kind="stable")
    kept: list[Box] = []
    weakest = 1.0
    for number in order[scores[order] >= min_score]:
        x0, y0, x1, y1 = (boxes[number] * unit / scale).round().astype(int).tolist()
        box = (max(0, x0), max(0, y0), min(width, x1), min(height, y1))
        if area(box) > 0 and all(iou(box, other) < 0.5 for other in kept):
            kept.append(box)
            weakest = min(weakest, float(scores[number]))
    if not kept:
        return PanelLayout(((0, 0, width, height),), 0.0, "the detector saw no panel")
    return PanelLayout(tuple(reading_order(kept)), round(weakest, 3), _doubt(kept, weakest, sure_score))


def _doubt(boxes: list[Box], weakest: float, sure_score: float) -> str:
    if len(boxes) > MAX_PANELS:
        return f"more than {MAX_PANELS} panels"
    pairs = [(one, two) for number, one in enumerate(boxes) for two in boxes[:number]]
    if any(overlap(one, two) > 0.1 * min(area(one), area(two)) for one, two in pairs):
        return "panels overlap"
    return "a panel has a low score" if weakest < sure_score else ""


def _input(pixels: np.ndarray, input_px: int) -> tuple[np.ndarray, float]:
    """The model's input, and input pixels per pixel of the figure."""
    picture = Image.fromarray(pixels).convert("RGB")
    scale = input_px / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    sheet = Image.new("RGB", (input_px, input_px), (255, 255, 255))
    sheet.paste(picture.resize(size, Image.Resampling.BILINEAR))
    return (np.asarray(sheet, dtype=np.float32) / 255).transpose(2, 0, 1)[None].copy(), scale


def _outputs(session: Session, layout: DetectorLayout, feed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        found = session.run([layout.boxes_name, layout.scores_name], {layout.input_name: feed})
    except Exception as error:
        raise InputError(f"the detector fails on an input of {list(feed.shape)}: {str(error)[:200]}") from error
    boxes, scores = (np.asarray(output, dtype=np.float64) for output in found)
    boxes, scores = boxes[0] if boxes.ndim == 3 else boxes, scores[0] if scores.ndim == 2 else scores
    if boxes.ndim != 2 or boxes.shape[1:] != (4,) or scores.shape != boxes.shape[:1]:
        got = f"{list(boxes.shape)} and {list(scores.shape)}"
        raise InputError("the detector's outputs have another shape", expected="[N, 4] and [N]", got=got)
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise InputError("the detector's outputs are not finite")
    return boxes, scores
