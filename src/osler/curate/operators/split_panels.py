"""Split compound figures into their panels, each with its part of the caption; what is uncertain stays whole or goes.

A figure under a licence without derivatives is never cropped. Tags tell what was done with each.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
from pydantic import Field, PositiveInt

from osler.core.config import Config
from osler.curate.drops import drop, drops_table
from osler.curate.operator import REWRITES, Kept, Operator
from osler.curate.panels.onnx_detector import DetectorLayout, detect_panels, open_session
from osler.curate.panels.read_labels import open_reader, read_labels
from osler.curate.panels.split import Find, split_figure
from osler.curate.panels.xy_cut import MIN_CONFIDENCE, find_panels


class DetectorConfig(Config):
    """A trained detector; `panels.onnx_detector.DetectorLayout` tells what its tensors hold."""

    path: str
    input_name: str = "images"
    boxes_name: str = "boxes"
    scores_name: str = "scores"
    input_px: PositiveInt = 640
    fractions: bool = False


class SplitPanelsConfig(Config):
    """tasks: the samples whose image is a figure and whose answer its caption. detector: in place of straight cuts.

    uncertain: whether an uncertain figure is kept whole or dropped. min_confidence: of straight cuts, below which a
    figure is uncertain. read_labels: confirm panel letters by OCR, which takes seconds where a figure is
    full of text.
    """

    tasks: Annotated[tuple[str, ...], Field(min_length=1)] = ("caption",)
    detector: DetectorConfig | None = None
    uncertain: Literal["keep", "drop"] = "keep"
    min_confidence: Annotated[float, Field(ge=0, le=1)] = MIN_CONFIDENCE
    read_labels: bool = False


def split_panels(
    table: pa.Table,
    *,
    tasks: tuple[str, ...],
    detector: tuple[str, DetectorLayout] | None,
    uncertain: str,
    min_confidence: float,
    with_labels: bool,
) -> Kept:
    """A record for each panel; other records as they are, some with a tag."""
    find: Find = partial(find_panels, min_confidence=min_confidence)
    if detector is not None:
        path, layout = detector
        find = partial(detect_panels, session=open_session(Path(path), layout), layout=layout)
    read = partial(read_labels, read=open_reader()) if with_labels else None
    rows, drops = [], []
    for row in table.to_pylist():
        parts, doubt = split_figure(row, find, tasks=tasks, read=read)
        if doubt and uncertain == "drop":
            drops.append(drop(row["key"], "split_panels", f"panels uncertain: {doubt}"))
        else:
            rows += parts
    return Kept(pa.Table.from_pylist(rows, schema=REWRITES), drops_table(drops))


def _build(config: SplitPanelsConfig) -> partial[Kept]:
    detector = None
    if config.detector is not None:
        options = config.detector.model_dump(exclude={"path"})
        detector = (config.detector.path, DetectorLayout(**options))
    return partial(
        split_panels,
        tasks=config.tasks,
        detector=detector,
        uncertain=config.uncertain,
        min_confidence=config.min_confidence,
        with_labels=config.read_labels,
    )


OPERATOR = Operator(
    config=SplitPanelsConfig,
    build=_build,
    level="rewrite",
    inputs=lambda config: [Path(config.detector.path)] if config.detector else [],
)
