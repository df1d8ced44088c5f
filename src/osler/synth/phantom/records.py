"""A patient's films and questions as records of a store: one record a film, one for each pair of films that follow."""

from collections.abc import Iterator
from dataclasses import dataclass

from osler.core.files import sha256_bytes
from osler.core.rng import generator
from osler.media.image import encode_png8, encode_png16
from osler.schema.media import MaskRef, MediaRef
from osler.schema.sample import Box, Provenance, Sample, Split, user
from osler.store.record import StoredRecord
from osler.synth.phantom.film import BITS, Film, draw_film
from osler.synth.phantom.patient import Patient
from osler.synth.phantom.questions import Asked, ask, compare
from osler.synth.phantom.truth import DATASET, LABELS, LICENCE, Study

_PNG_LEVEL = 1


@dataclass(frozen=True)
class Shown:
    """A film with its two PNG files."""

    film: Film
    picture: bytes
    mask: bytes


def patient_films(seed: int, patient: Patient, *, image_px: int) -> list[Film]:
    """All films of a patient, in order of time."""
    return [draw_film(seed, patient, visit, image_px=image_px) for visit in patient.visits]


def patient_records(
    seed: int, films: list[Film], *, split: Split, compare_share: float = 1.0
) -> Iterator[StoredRecord]:
    """The records of one patient's films; a pair of films that offers nothing to compare makes none.

    `compare_share` of the pairs, drawn at random, are compared.
    """
    shown = [Shown(f, encode_png16(f.pixels, level=_PNG_LEVEL), encode_png8(f.mask, level=_PNG_LEVEL)) for f in films]
    for item in shown:
        study = item.film.study
        yield _record(study.id, [item], ask(generator(seed, "ask", study.id), study), split)
    for before, after in zip(shown, shown[1:], strict=False):
        prior, current = before.film.study, after.film.study
        key = f"{prior.id}-{current.number}"
        rng = generator(seed, "compare", key)
        asked = compare(rng, prior, current) if rng.random() < compare_share else []
        if asked:
            yield _record(key, [before, after], asked, split)


def _record(key: str, shown: list[Shown], asked: list[Asked], split: Split) -> StoredRecord:
    times = ("current",) if len(shown) == 1 else ("prior", "current")
    media = [_media(f"{key}.{n}", item, time) for n, (item, time) in enumerate(zip(shown, times, strict=True))]
    files: dict[str, bytes] = {}
    for n, item in enumerate(shown):
        files |= {f"{key}.{n}.png": item.picture, f"{key}.{n}.mask.png": item.mask}
    studies = [item.film.study for item in shown]
    provenance = Provenance(dataset=DATASET, record_id=key, licence=LICENCE)
    samples = tuple(
        Sample(
            id=f"{key}-{n}",
            turns=(user(*media, question.text),),
            answer=question.answer,
            reasoning=question.reasoning,
            task=question.task,
            split=split,
            group=studies[0].patient_id,
            modality="x-ray",
            body_part="chest",
            boxes=_boxes(question, studies),
            tags=question.kinds,
            provenance=provenance,
        )
        for n, question in enumerate(asked)
    )
    return StoredRecord(key, samples, files)


def _media(stem: str, shown: Shown, time: str) -> MediaRef:
    height, width = shown.film.pixels.shape
    return MediaRef(
        path=f"{stem}.png",
        width=width,
        height=height,
        bits=BITS,
        window=shown.film.window,
        view=shown.film.study.view,
        time=time,
        sha256=sha256_bytes(shown.picture),
        mask=MaskRef(path=f"{stem}.mask.png", labels=LABELS),
    )


def _boxes(asked: Asked, studies: list[Study]) -> tuple[Box, ...]:
    """The boxes of what a question is about, on each film that shows it."""
    return tuple(
        Box(label=kind, x0=f.box[0], y0=f.box[1], x1=f.box[2], y1=f.box[3], image=n)
        for n, study in enumerate(studies)
        for kind in asked.kinds
        for f in study.of(kind)
    )
