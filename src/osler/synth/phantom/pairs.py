"""Pairs of drawn films that differ in one factor and in nothing else, each with the caption that fits the other film.

    side        one finding on the left, or its mirror image on the right
    negation    a finding is there, or it is not
    count       n nodules, or n + 1: the same ones and one more
    confusable  one of two findings that are easily taken for each other, in the same place

Both films show the same patient on the same day, with the same exposure and noise: they are equal to the last pixel
outside of what the finding changes (air beside a lung changes the whole lung). Both may show what no caption speaks of:
a device, fluid, air, a large heart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.core.rng import generator
from osler.synth.phantom import wording
from osler.synth.phantom.film import Film, draw_film
from osler.synth.phantom.lesion import NODULE_RADIUS, SIZES, Lesion
from osler.synth.phantom.patient import LARGE_CTR, NORMAL_CTR, Patient, Visit, make_patient
from osler.synth.phantom.placing import place_nodules
from osler.synth.phantom.truth import FINDINGS, GRADES, MAX_NODULES, SIDES, Side, Study

FACTORS = ("side", "negation", "count", "confusable")
SUBJECTS: dict[str, tuple[str, ...]] = {
    "side": ("effusion", "pneumothorax", "consolidation", "nodule"),
    "negation": FINDINGS,
    "count": ("nodule",),
    "confusable": ("nodule/consolidation", "effusion/pneumothorax", "pacemaker/central line"),
}
"""What each factor is asked of; pairs take them in turn."""

_DEVICES = ("pacemaker", "central line")
_PLACED = ("nodule", "consolidation")
_MAX_TRIES = 100


@dataclass(frozen=True)
class Version:
    """One film of a pair. value: what tells it from the other film. caption: what is said of it."""

    film: Film
    value: str
    caption: str


@dataclass(frozen=True)
class Pair:
    """Two films that differ in `factor`, which is asked of `subject`."""

    factor: str
    subject: str
    versions: tuple[Version, Version]


@dataclass(frozen=True)
class _Plan:
    """What the two visits hold beside the shared findings: lesions, a value and a heart each."""

    lesions: tuple[tuple[Lesion, ...], tuple[Lesion, ...]]
    values: tuple[str, str]
    ctrs: tuple[float, float]


def draw_pair(seed: int, factor: str, number: int, *, image_px: int) -> Pair:
    """Pair `number` of a factor: a pure function of its arguments."""
    subject = SUBJECTS[factor][number % len(SUBJECTS[factor])]
    for attempt in range(_MAX_TRIES):
        patient = make_patient(seed, int(generator(seed, "pair", factor, number, attempt).integers(2**31)))
        rng = generator(seed, "pair plan", factor, number, attempt)
        visit = patient.visits[0]
        shared = tuple(lesion for lesion in visit.lesions if lesion.kind not in _kept_out(subject))
        plan = _plan(rng, patient, visit, factor=factor, subject=subject, shared=shared)
        if plan is not None:
            visits = [
                replace(visit, lesions=shared + lesions, ctr=ctr)
                for lesions, ctr in zip(plan.lesions, plan.ctrs, strict=True)
            ]
            films = [draw_film(seed, patient, each, image_px=image_px) for each in visits]
            captions = _captions(rng, factor, subject, [film.study for film in films])
            first, second = (Version(*each) for each in zip(films, plan.values, captions, strict=True))
            return Pair(factor, subject, (first, second))
    raise RuntimeError(f"no room for pair {number} of {factor} in {_MAX_TRIES} patients")


def _kept_out(subject: str) -> set[str]:
    """Kinds that the shared findings leave out: those asked about, and those that could lie under them."""
    kinds = set(_PLACED) | set(subject.split("/"))
    return kinds | {"device"} if kinds & {"device", *_DEVICES} else kinds


def _plan(
    rng: np.random.Generator, patient: Patient, visit: Visit, *, factor: str, subject: str, shared: tuple[Lesion, ...]
) -> _Plan | None:
    """What the two films show; None where the patient has no room for it."""
    side = SIDES[int(rng.integers(2))]
    if subject == "cardiomegaly":
        ctrs = (float(rng.uniform(*LARGE_CTR)), float(rng.uniform(*NORMAL_CTR)))
        return _Plan(((), ()), ("present", "absent"), ctrs)
    made = _lesions(rng, patient, visit, factor=factor, subject=subject, side=side, shared=shared)
    if made is None:
        return None
    values = {
        "side": SIDES,
        "negation": ("present", "absent"),
        "count": tuple(str(len(lesions)) for lesions in made),
        "confusable": tuple(subject.split("/")),
    }[factor]
    return _Plan(made, (values[0], values[1]), (visit.ctr, visit.ctr))


def _lesions(
    rng: np.random.Generator,
    patient: Patient,
    visit: Visit,
    *,
    factor: str,
    subject: str,
    side: Side,
    shared: tuple[Lesion, ...],
) -> tuple[tuple[Lesion, ...], tuple[Lesion, ...]] | None:
    if factor == "count":
        fewer = int(rng.integers(1, MAX_NODULES))
        nodules = _nodules(rng, patient, visit, sides=[side] * (fewer + 1), blocked=shared)
        return None if nodules is None else (nodules[:fewer], nodules)
    kinds = subject.split("/")
    grade = int(rng.choice(3, p=(0.25, 0.5, 0.25)))
    # The left lung has less room, beside the heart: what fits there fits at its mirror image on the right.
    place = None
    if set(kinds) & set(_PLACED):
        place = _nodules(rng, patient, visit, sides=["left"], blocked=_on_both_sides(shared))
        if place is None:
            return None
    spot = place[0] if place else None
    if factor == "side":
        left, right = (_lesion(patient, kinds[0], each, grade=grade, spot=spot) for each in SIDES)
        return (left,), (right,)
    first = _lesion(patient, kinds[0], side, grade=grade, spot=spot, rng=rng)
    if factor == "negation":
        return (first,), ()
    return (first,), (_lesion(patient, kinds[1], side, grade=grade, spot=spot),)


def _lesion(
    patient: Patient,
    kind: str,
    side: Side,
    *,
    grade: int,
    spot: Lesion | None,
    rng: np.random.Generator | None = None,
) -> Lesion:
    """A finding on a side. `spot` is where it lies on the left, as a nodule; `rng` draws which device it is."""
    if kind == "device":
        kind = _DEVICES[int(rng.integers(len(_DEVICES)))] if rng is not None else _DEVICES[0]
    if kind in _DEVICES:
        return Lesion("device", side, grade=kind)
    if spot is None:
        return Lesion(kind, side, size=SIZES[kind][grade], grade=GRADES[grade])
    x = spot.x if side == "left" else 2 * patient.anatomy.mid - spot.x
    if kind == "nodule":
        return Lesion(kind, side, x, spot.y, spot.size)
    return Lesion(kind, side, x, spot.y, SIZES[kind][grade], GRADES[grade])


def _nodules(
    rng: np.random.Generator, patient: Patient, visit: Visit, *, sides: Sequence[Side], blocked: Sequence[Lesion]
) -> tuple[Lesion, ...] | None:
    """Nodules on the wanted sides at full size; None where one had to go elsewhere or shrink."""
    wanted = [(side, float(rng.uniform(*NODULE_RADIUS))) for side in sides]
    placed = place_nodules(rng, patient.anatomy, wanted, blocked=blocked, widest_ctr=visit.ctr)
    fits = all((p.side, p.radius) == want for p, want in zip(placed, wanted, strict=True))
    return tuple(Lesion("nodule", p.side, p.x, p.y, p.radius) for p in placed) if fits else None


def _on_both_sides(lesions: Sequence[Lesion]) -> tuple[Lesion, ...]:
    return tuple(replace(lesion, side=side) if lesion.side else lesion for lesion in lesions for side in SIDES)


def _captions(rng: np.random.Generator, factor: str, subject: str, studies: Sequence[Study]) -> tuple[str, str]:
    """What is said of each film: the same sentence but for the words of the factor."""
    first, second = studies
    if factor == "negation":
        name = wording.any_name(rng, subject)
        said = (f"with {name.article}", f"without {name.bare}")
        if rng.random() >= wording.USUAL_SHARE:
            said = (f"showing {name.article}", f"showing no {name.bare}")
        return f"{first.view} chest film {said[0]}.", f"{second.view} chest film {said[1]}."
    kinds = subject.split("/")
    words = [_words(study, kinds[min(number, len(kinds) - 1)], factor) for number, study in enumerate(studies)]
    return f"{first.view} chest film: {words[0]}.", f"{second.view} chest film: {words[1]}."


def _words(study: Study, kind: str, factor: str) -> str:
    found = study.of("device" if kind in _DEVICES else kind)
    if kind != "nodule":
        return wording.phrase(found[0])
    if factor == "count":
        return f"{wording.COUNT_WORDS[len(found)]} {found[0].side} nodule{'s' if len(found) > 1 else ''}"
    return f"{wording.place(found[0])} nodule"
