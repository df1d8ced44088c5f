"""Records of figures into records of panels, each with its crop and its words."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from osler.core.errors import InputError
from osler.curate.panels.assign import Assignment, assign_parts
from osler.curate.panels.boxes import Box, PanelLayout
from osler.curate.panels.captions import caption_parts
from osler.media.image import encode_png8, open_picture
from osler.schema.licence import forbids_derivatives
from osler.schema.sample import Sample
from osler.store.record import replace_media

Row = dict[str, Any]
Find = Callable[[np.ndarray], PanelLayout]
ReadLabels = Callable[[np.ndarray, Sequence[Box]], tuple[str, ...]]

MAX_KEY = 80


def split_figure(
    row: Row, find: Find, *, tasks: Sequence[str], read: ReadLabels | None = None
) -> tuple[list[Row], str]:
    """The records that a record of level `rewrite` becomes, and why it stays whole although it may be compound.

    A record is a figure if it shows one image and all its samples are of `tasks` with a text as answer; others come
    back as they are. Samples tell by a tag what was done: `panels:split`, with `panels:whole_caption` where the words
    could not be parted; `panels:single`; or, kept whole, `panels:no_derivatives`, `panels:unreadable`,
    `panels:uncertain`.
    """
    samples = [Sample.model_validate_json(text) for text in row["samples"]]
    if not _is_figure(row, samples, tasks):
        return [row], ""
    if any(forbids_derivatives(sample.provenance.licence) for sample in samples if sample.provenance):
        return [_tagged(row, samples, "panels:no_derivatives")], ""
    try:
        picture = open_picture(row["media"][0], samples[0].media[0])
    except InputError:
        return [_tagged(row, samples, "panels:unreadable")], ""
    pixels = np.asarray(picture)
    layout = find(pixels)
    if layout.uncertain:
        return [_tagged(row, samples, "panels:uncertain")], layout.uncertain
    letters = read(pixels, layout.boxes) if read and len(layout.boxes) > 1 else ()
    assigned = [assign_parts(caption_parts(s.answer.text), layout.boxes, read=letters) for s in samples]
    against = [each.doubt for each in assigned if each.contradicts]
    if against:
        return [_tagged(row, samples, "panels:uncertain")], against[0]
    if len(layout.boxes) == 1:
        return [_tagged(row, samples, "panels:single")], ""
    return _panels(row, samples, pixels, layout.boxes, assigned=assigned), ""


def _is_figure(row: Row, samples: Sequence[Sample], tasks: Sequence[str]) -> bool:
    if len(row["media"]) != 1 or row["media"][0] is None:
        return False
    return all(_is_caption(sample, tasks) for sample in samples)


def _is_caption(sample: Sample, tasks: Sequence[str]) -> bool:
    if sample.task not in tasks or sample.answer.kind != "text" or len(sample.media) != 1 or sample.boxes:
        return False
    ref = sample.media[0]
    return ref.kind == "image" and ref.mask is None and ref.volume_slice is None


def _panels(
    row: Row, samples: Sequence[Sample], pixels: np.ndarray, boxes: Sequence[Box], *, assigned: Sequence[Assignment]
) -> list[Row]:
    names = next((each.names for each in assigned if not each.doubt), assigned[0].names)
    rows = []
    for number, (name, box) in enumerate(zip(names, boxes, strict=True)):
        x0, y0, x1, y1 = box
        mark, path = f"#panel-{name}", f"{row['media_paths'][0]}#panel-{name}.png"
        cut = [_cut(s, each, number, mark, path=path, box=box) for s, each in zip(samples, assigned, strict=True)]
        key = f"{row['key']}-panel-{name}"[-MAX_KEY:]
        data = encode_png8(np.ascontiguousarray(pixels[y0:y1, x0:x1]))
        new = {"key": key, "sample_ids": [s.id for s in cut], "media_paths": [path], "media": [data]}
        rows.append({**row, **new, "samples": [s.model_dump_json(exclude_defaults=True) for s in cut]})
    return rows


def _cut(sample: Sample, assigned: Assignment, number: int, mark: str, *, path: str, box: Box) -> Sample:
    ref = sample.media[0]
    facts = {"path": path, "width": box[2] - box[0], "height": box[3] - box[1], "bits": 8, "window": None, "sha256": ""}
    sample = replace_media(sample, {ref: ref.model_copy(update=facts)})
    text = assigned.texts[number]
    tags = ("panels:split",) if text else ("panels:split", "panels:whole_caption")
    answer = sample.answer.model_copy(update={"text": text, "alternatives": ()}) if text else sample.answer
    return sample.model_copy(update={"id": sample.id + mark, "answer": answer, "tags": (*sample.tags, *tags)})


def _tagged(row: Row, samples: Sequence[Sample], tag: str) -> Row:
    tagged = [sample.model_copy(update={"tags": (*sample.tags, tag)}) for sample in samples]
    return {**row, "samples": [sample.model_dump_json(exclude_defaults=True) for sample in tagged]}
