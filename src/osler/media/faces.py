"""Faces: found by a detector whose weights the user brings; without weights nothing is claimed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osler.core.errors import InputError

_MAX_SIDE_PX = 640


@dataclass(frozen=True)
class Face:
    """A face: its box in pixels of the picture and the detector's score, 0 to 1."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float


class FaceFinder:
    """A face detector in the YuNet layout (`face_detection_yunet_2023mar.onnx`), run by OpenCV on the processor.

    Args:
        weights: the local ONNX file.
        min_score: the least score of a face.

    Raises:
        InputError: no such file, no such layout, or OpenCV is not installed.
    """

    def __init__(self, weights: Path, *, min_score: float = 0.8) -> None:
        try:
            import cv2
        except ImportError as error:
            raise InputError(
                f"finding faces needs opencv-python, which does not load: {error}",
                fix="pip install 'osler[curate]'; where libGL is missing: apt install libgl1.",
            ) from error
        if not weights.is_file():
            raise InputError(f"no face detector at {weights}", expected="an ONNX file in the YuNet layout")
        try:
            self._detector: Any = cv2.FaceDetectorYN.create(str(weights), "", (64, 64), min_score)
            self.find(np.zeros((64, 64, 3), np.uint8))
        except cv2.error as error:
            raise InputError(
                f"{weights} is no face detector that OpenCV can run", expected="an ONNX file in the YuNet layout"
            ) from error

    def find(self, rgb: np.ndarray) -> list[Face]:
        """The faces in a picture, uint8 [height, width, 3], the surest first. Looked for at 640 px or less."""
        import cv2

        scale = min(_MAX_SIDE_PX / max(rgb.shape[:2]), 1.0)
        small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _, found = self._detector.detect(np.ascontiguousarray(small[:, :, ::-1]))
        rows = [] if found is None else found.tolist()
        faces = [
            Face(row[0] / scale, row[1] / scale, (row[0] + row[2]) / scale, (row[1] + row[3]) / scale, row[-1])
            for row in rows
        ]
        return sorted(faces, key=lambda face: -face.score)
