"""Drop records of which an image shows a face, found by a detector whose weights you bring.

`weights` is a local ONNX file in the YuNet layout (`face_detection_yunet_2023mar.onnx` of the OpenCV model zoo), run
by OpenCV (extra `curate`). Without it the recipe is refused: nothing here says "no face" unseen. Faces are looked for
in colour and gray, upright; an eye region or a profile may be missed.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from pydantic import Field, field_validator

from osler.core.config import Config
from osler.curate.operator import Kept, Operator
from osler.curate.pictures import Fault, keep_pictures
from osler.media.faces import FaceFinder
from osler.media.quality import rgb_pixels


class DropFacesConfig(Config):
    """weights: the detector's file. min_score: how sure it must be, 0 to 1. min_share: a face's part of the area."""

    weights: Annotated[str, Field(validate_default=True)] = ""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.8
    min_share: Annotated[float, Field(ge=0, le=1)] = 0.002

    @field_validator("weights")
    @classmethod
    def _is_a_file(cls, weights: str) -> str:
        if not weights or not Path(weights).is_file():
            raise ValueError(
                "drop_faces needs a face detector: set `weights` to a local ONNX file in the YuNet layout "
                "(face_detection_yunet_2023mar.onnx), or leave the operator out"
            )
        return weights


def drop_faces(table: pa.Table, *, weights: str, min_score: float, min_share: float) -> Kept:
    """Keep records whose images show no face."""
    if table.num_rows == 0:
        return keep_pictures(table, "drop_faces", lambda data: None)
    finder = FaceFinder(Path(weights), min_score=min_score)
    return keep_pictures(table, "drop_faces", partial(face_fault, finder=finder, min_share=min_share))


def face_fault(data: bytes, *, finder: FaceFinder, min_share: float) -> Fault | None:
    """The surest face that is large enough."""
    rgb = rgb_pixels(data)
    least = min_share * rgb.shape[0] * rgb.shape[1]
    for face in finder.find(rgb):
        if (face.x1 - face.x0) * (face.y1 - face.y0) >= least:
            return Fault(f"face: score {face.score:.2f}", face.score)
    return None


OPERATOR = Operator(
    config=DropFacesConfig,
    build=lambda config: partial(
        drop_faces, weights=config.weights, min_score=config.min_score, min_share=config.min_share
    ),
    level="record",
    inputs=lambda config: [Path(config.weights)],
)
