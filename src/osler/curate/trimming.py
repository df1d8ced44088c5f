"""Trimming: margins cut off a record's images, with boxes moved along; what must not be changed stays as it is."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.media.image import encode_png8, encode_png16, image_facts, load_picture, open_picture
from osler.media.quality import Margin, gray_pixels, margin
from osler.schema.licence import forbids_derivatives
from osler.schema.sample import Box, Sample

TAG = "trimmed"
_MIN_SIDE_PX = 16
_BOX_SLACK = 0.01


def trim_record(row: dict[str, Any], *, colours: Sequence[str], min_share: float) -> dict[str, Any]:
    """A record (a row of `operator.REWRITES`) with the margins of its images cut off, as PNG; paths and ids stay.

    Left alone are images under a licence that forbids derivatives (ND), with a mask, cut out of a volume, with a box in
    the margin, unreadable or missing ones, and those of which too little would remain.

    Args:
        row: the record.
        colours: `white`, `black`.
        min_share: the least part of the area that must be margin.
    """
    samples = [Sample.model_validate_json(text) for text in row["samples"]]
    if any(forbids_derivatives(sample.provenance.licence) for sample in samples if sample.provenance):
        return row
    media, cuts = list(row["media"]), {}
    for place, (path, data) in enumerate(zip(row["media_paths"], media, strict=True)):
        if data is None or not _may_be_cut(samples, path):
            continue
        found = _cut(data, colours=colours, min_share=min_share)
        if found and all(_boxes_fit(sample, path, found[1], found[2]) for sample in samples):
            media[place], cuts[path] = found[0], found[1:]
    if not cuts:
        return row
    texts = [_moved(sample, cuts).model_dump_json(exclude_defaults=True) for sample in samples]
    return {**row, "media": media, "samples": texts}


def _may_be_cut(samples: Sequence[Sample], path: str) -> bool:
    refs = [ref for sample in samples for ref in sample.media]
    if any(ref.mask is not None and path in (ref.path, ref.mask.path) for ref in refs):
        return False
    shown = [ref for ref in refs if ref.path == path]
    return bool(shown) and all(ref.kind == "image" and ref.volume_slice is None for ref in shown)


def _cut(data: bytes, *, colours: Sequence[str], min_share: float) -> tuple[bytes, Margin, tuple[int, int]] | None:
    """The image without its margin, the margin, and the size that it was measured in."""
    try:
        gray = gray_pixels(data)
        height, width = gray.shape
        for colour in colours:
            edge = margin(gray, white=colour == "white")
            left = min(width - edge.left - edge.right, height - edge.top - edge.bottom)
            if edge.share(width, height) >= min_share and left >= _MIN_SIDE_PX:
                return _cropped(data, edge, (width, height)), edge, (width, height)
    except InputError:
        return None
    return None


def _cropped(data: bytes, edge: Margin, size: tuple[int, int]) -> bytes:
    rows, columns = slice(edge.top, size[1] - edge.bottom), slice(edge.left, size[0] - edge.right)
    if image_facts(data).bits <= 8:
        return encode_png8(np.ascontiguousarray(np.asarray(open_picture(data))[rows, columns]))
    return encode_png16(np.ascontiguousarray(np.asarray(load_picture(data))[rows, columns]))


def _boxes_fit(sample: Sample, path: str, edge: Margin, size: tuple[int, int]) -> bool:
    moved = [_moved_box(box, edge, size) for box in sample.boxes if sample.media[box.image].path == path]
    low, high = -_BOX_SLACK, 1 + _BOX_SLACK
    return all(low <= value <= high for box in moved for value in (box.x0, box.y0, box.x1, box.y1))


def _moved(sample: Sample, cuts: dict[str, tuple[Margin, tuple[int, int]]]) -> Sample:
    paths = [ref.path for ref in sample.media]
    if not cuts.keys() & set(paths):
        return sample
    boxes = tuple(
        _clipped(_moved_box(box, *cuts[paths[box.image]])) if paths[box.image] in cuts else box for box in sample.boxes
    )
    dumped = sample.model_copy(update={"boxes": boxes, "tags": (*sample.tags, TAG)}).model_dump(exclude_defaults=True)
    for turn in dumped["turns"]:
        for part in turn["parts"]:
            if "media" in part and part["media"]["path"] in cuts:
                # Of the image as it was; the store fills them in again.
                part["media"] = {k: v for k, v in part["media"].items() if k not in ("width", "height", "sha256")}
    return Sample.model_validate(dumped)


def _moved_box(box: Box, edge: Margin, size: tuple[int, int]) -> Box:
    width, height = size
    wide, tall = width - edge.left - edge.right, height - edge.top - edge.bottom
    return box.model_copy(
        update={
            "x0": (box.x0 * width - edge.left) / wide,
            "y0": (box.y0 * height - edge.top) / tall,
            "x1": (box.x1 * width - edge.left) / wide,
            "y1": (box.y1 * height - edge.top) / tall,
        }
    )


def _clipped(box: Box) -> Box:
    corners = {name: min(max(getattr(box, name), 0.0), 1.0) for name in ("x0", "y0", "x1", "y1")}
    return box.model_copy(update=corners)
