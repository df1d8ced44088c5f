"""One study: the planned visit becomes a film, its mask and the truth measured on both."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osler.core.rng import generator
from osler.schema.media import Window
from osler.synth.phantom import body
from osler.synth.phantom import findings as paint
from osler.synth.phantom.anatomy import Field, cardiothoracic_ratio
from osler.synth.phantom.body import Canvas, Chest
from osler.synth.phantom.lesion import Lesion
from osler.synth.phantom.patient import Patient, Visit
from osler.synth.phantom.truth import CTR_THRESHOLD, Box, Finding, Study

BITS = 12
MAX_VALUE = 2**BITS - 1


@dataclass(frozen=True)
class Film:
    """A drawn study.

    pixels: uint16 (H, W), 0 to 4095. mask: uint8 (H, W), bit k is set where LABELS[k] is. `window` shows
    the film as its exposure asks.
    """

    study: Study
    pixels: NDArray[np.uint16]
    mask: NDArray[np.uint8]
    window: Window


def draw_film(seed: int, patient: Patient, visit: Visit, *, image_px: int) -> Film:
    """Draw one visit on a square film of `image_px` pixels."""
    rng = generator(seed, "film", patient.number, visit.number)
    canvas = body.new_canvas(image_px, visit.shift, visit.scale)
    chest = body.measure_chest(canvas, patient.anatomy, visit.ctr)
    boxes = _draw(canvas, chest, patient, visit, rng)
    planned = planned_study(patient, visit, ctr=cardiothoracic_ratio(chest.heart, chest.both))
    findings = tuple(replace(finding, box=box) for finding, box in zip(planned.findings, boxes, strict=True))
    pixels, window = _expose(canvas, visit, rng)
    return Film(replace(planned, findings=findings), pixels, canvas.mask, window)


def planned_study(patient: Patient, visit: Visit, ctr: float | None = None) -> Study:
    """The truth of a visit before it is drawn: boxes cover the film, and `ctr` is the planned one unless given."""
    ratio = visit.ctr if ctr is None else ctr
    found = [_finding(patient, lesion) for lesion in visit.lesions]
    if ratio > CTR_THRESHOLD:
        found.append(Finding("cardiomegaly", size=ratio, grade="enlarged"))
    born, taken = patient.born, visit.taken
    return Study(
        id=f"{patient.id}-{visit.number}",
        patient_id=patient.id,
        number=visit.number,
        day=(taken - patient.visits[0].taken).days,
        sex=patient.sex,
        age=taken.year - born.year - ((taken.month, taken.day) < (born.month, born.day)),
        view=visit.view,
        ctr=ratio,
        findings=tuple(found),
    )


def _finding(patient: Patient, lesion: Lesion) -> Finding:
    has_zone = lesion.kind in {"nodule", "consolidation"}
    zone = patient.anatomy.zone(lesion.y) if has_zone else ""
    return Finding(lesion.kind, side=lesion.side, zone=zone, size=lesion.size, grade=lesion.grade)


def _draw(canvas: Canvas, chest: Chest, patient: Patient, visit: Visit, rng: np.random.Generator) -> list[Box]:
    """Draw all layers from back to front. Returns the boxes of the lesions, then that of a large heart."""
    anatomy = patient.anatomy
    body.draw_tissue(canvas, anatomy, female=patient.sex == "F")
    body.draw_lungs(canvas, chest, rng)
    for lesion in _of(visit, "pneumothorax"):
        paint.paint_pneumothorax(canvas, chest, lesion)
    body.draw_ribs(canvas, chest, visit.view)
    for lesion in _of(visit, "consolidation"):
        paint.paint_consolidation(canvas, chest, lesion)
    for lesion in _of(visit, "nodule"):
        paint.paint_nodule(canvas, lesion)
    for lesion in _of(visit, "effusion"):
        paint.paint_effusion(canvas, chest, lesion)
    body.draw_mediastinum(canvas, chest)
    body.draw_clavicles(canvas, anatomy, visit.view)
    for lesion in _of(visit, "device"):
        paint.paint_device(canvas, anatomy, lesion)
    body.draw_marker(canvas, visit.marker)
    boxes = [_lesion_box(canvas, lesion) for lesion in visit.lesions]
    return boxes + ([_box(canvas.marked("heart"))] if visit.ctr > CTR_THRESHOLD else [])


def _of(visit: Visit, kind: str) -> list[Lesion]:
    return [lesion for lesion in visit.lesions if lesion.kind == kind]


def _lesion_box(canvas: Canvas, lesion: Lesion) -> Box:
    """The box of a lesion's own pixels; nodules share a bit and are told apart by their distance."""
    inside = canvas.marked(lesion.kind)
    if lesion.kind == "nodule":
        inside &= np.hypot(canvas.x - lesion.x, canvas.y - lesion.y) < lesion.size
    return _box(inside)


def _box(inside: NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    height, width = inside.shape
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1) / width),
        float((rows[-1] + 1) / height),
    )


def _expose(canvas: Canvas, visit: Visit, rng: np.random.Generator) -> tuple[NDArray[np.uint16], Window]:
    """Exposure, noise and 12 bits. The window leaves out nothing that was drawn."""
    gain = float(rng.uniform(0.80, 0.95))
    offset = float(rng.uniform(0.02, 0.08))
    noise = float(rng.uniform(0.008, 0.018)) * (1.25 if visit.view == "AP" else 1.0)
    image: Field = canvas.image * np.float32(gain) + np.float32(offset)
    image += rng.standard_normal(image.shape, dtype=np.float32) * np.float32(noise)
    pixels = np.clip(np.rint(image * MAX_VALUE), 0, MAX_VALUE).astype(np.uint16)
    window = Window(center=round((offset + gain / 2) * MAX_VALUE), width=round(gain * MAX_VALUE))
    return pixels, window
