"""Who the patients are and what happens to them: everything that is decided before a pixel is drawn.

Each kind of finding follows a chain from study to study (absent, starts, persists, resolves) whose long-run
share is PRESENCE, so that any film of any patient shows it with the same known probability.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from osler.core.rng import generator
from osler.synth.phantom.anatomy import Anatomy
from osler.synth.phantom.lesion import NODULE_RADIUS, SIZES, Lesion
from osler.synth.phantom.placing import Placed, place_consolidation, place_nodules
from osler.synth.phantom.truth import DEVICES, FINDINGS, GRADES, MAX_NODULES, SIDES, Side, View

HEALTHY = 0.08
ILL_PRESENCE = 0.46
PRESENCE = (1 - HEALTHY) * ILL_PRESENCE
RESOLVES = 0.25

NORMAL_CTR = (0.385, 0.455)
LARGE_CTR = (0.545, 0.62)

_SYLLABLES = ("bar", "del", "fen", "gro", "hal", "jor", "kel", "lun", "mar", "nor", "per", "ros", "sten", "tol", "ver")
_ENDINGS = {"F": ("a", "ine", "eth"), "M": ("o", "an", "ek"), "": ("berg", "ley", "son", "wick", "dal", "mont")}


@dataclass(frozen=True)
class Visit:
    """One study as it will be drawn.

    `shift` and `scale` move the patient on the plate, `ctr` is the ratio that the heart is drawn with.
    """

    number: int
    taken: date
    view: View
    marker: Side
    shift: tuple[float, float]
    scale: tuple[float, float]
    ctr: float
    lesions: tuple[Lesion, ...]


@dataclass(frozen=True)
class Patient:
    """An invented person. `id` is opaque; `name` and `born` go nowhere but into DICOM tags."""

    number: int
    id: str
    name: str
    sex: Literal["F", "M"]
    born: date
    anatomy: Anatomy
    visits: tuple[Visit, ...]


def patient_id(number: int) -> str:
    """The opaque identifier of patient `number`."""
    return f"p{number:06d}"


def num_visits(seed: int, number: int) -> int:
    """How many studies a patient has, without making the patient."""
    return int(generator(seed, "visits", number).choice((1, 2, 3), p=(0.5, 0.3, 0.2)))


def make_patient(seed: int, number: int) -> Patient:
    """Patient `number` of the world `seed`: a pure function of both."""
    rng = generator(seed, "patient", number)
    sex: Literal["F", "M"] = "F" if rng.random() < 0.5 else "M"
    born = date(1935, 1, 1) + timedelta(days=int(rng.integers(0, 25000)))
    name = f"{_name(rng, '')}^{_name(rng, sex)}"
    anatomy = _anatomy(rng, habitus=float(rng.uniform(-1, 1)))
    visits = _visits(rng, anatomy, count=num_visits(seed, number))
    return Patient(number, patient_id(number), name, sex, born, anatomy, visits)


def _name(rng: np.random.Generator, sex: str) -> str:
    stem = "".join(rng.choice(_SYLLABLES, size=2))
    return (stem + str(rng.choice(_ENDINGS[sex]))).capitalize()


def _anatomy(rng: np.random.Generator, *, habitus: float) -> Anatomy:
    """A slim patient (-1) has a long narrow chest, a stout one (1) a short wide one and a thick wall."""
    return Anatomy(
        mid=float(rng.uniform(0.49, 0.51)),
        half=0.362 + 0.015 * habitus + float(rng.uniform(-0.008, 0.008)),
        gap=float(rng.uniform(0.042, 0.05)),
        reach=0.385 - 0.012 * habitus,
        dome=0.775 - 0.015 * habitus + float(rng.uniform(-0.008, 0.008)),
        dome_step=float(rng.uniform(0.012, 0.025)),
        heart_height=float(rng.uniform(0.150, 0.165)),
        wall=0.055 + 0.02 * habitus,
    )


def _visits(rng: np.random.Generator, anatomy: Anatomy, *, count: int) -> tuple[Visit, ...]:
    healthy = rng.random() < HEALTHY
    shown = {kind: [False] * count if healthy else _chain(rng, count) for kind in FINDINGS}
    ctrs = {True: float(rng.uniform(*LARGE_CTR)), False: float(rng.uniform(*NORMAL_CTR))}
    courses = _courses(rng, anatomy, shown, ctrs)
    taken = date(2015, 1, 1) + timedelta(days=int(rng.integers(0, 3000)))
    visits = []
    for index in range(count):
        lesions = tuple(lesion for course in courses for lesion in course[index])
        visits.append(_visit(rng, index, taken, ctrs[shown["cardiomegaly"][index]], lesions))
        taken += timedelta(days=int(rng.integers(2, 200)))
    return tuple(visits)


def _visit(rng: np.random.Generator, index: int, taken: date, ctr: float, lesions: tuple[Lesion, ...]) -> Visit:
    view: View = "AP" if rng.random() < 0.3 else "PA"
    high_diaphragm = 0.97 if view == "AP" else 1.0
    return Visit(
        number=index + 1,
        taken=taken,
        view=view,
        marker=SIDES[int(rng.integers(2))],
        shift=(float(rng.uniform(-0.015, 0.015)), float(rng.uniform(-0.012, 0.012))),
        scale=(float(rng.uniform(0.97, 1.02)), high_diaphragm * float(rng.uniform(0.98, 1.01))),
        ctr=ctr,
        lesions=lesions,
    )


def _chain(rng: np.random.Generator, count: int) -> list[bool]:
    """Presence at each study; stationary at ILL_PRESENCE."""
    starts = RESOLVES * ILL_PRESENCE / (1 - ILL_PRESENCE)
    states = [bool(rng.random() < ILL_PRESENCE)]
    while len(states) < count:
        states.append(bool(rng.random() >= RESOLVES) if states[-1] else bool(rng.random() < starts))
    return states


def _grades(rng: np.random.Generator, count: int) -> list[int]:
    """A grade for each study; (1/4, 1/2, 1/4) is stationary, so a third of the steps each go up, down and nowhere."""
    grades = [int(rng.choice(3, p=(0.25, 0.5, 0.25)))]
    while len(grades) < count:
        at = grades[-1]
        step = int(rng.integers(-1, 2))
        grades.append(at + (step if 0 <= at + step <= 2 else -step))
    return grades


def _courses(
    rng: np.random.Generator, anatomy: Anatomy, shown: dict[str, list[bool]], ctrs: dict[bool, float]
) -> list[list[list[Lesion]]]:
    """For each kind, the lesions at each study; later kinds keep clear of all that earlier ones ever cover."""
    widest = ctrs[any(shown["cardiomegaly"])]
    sides = {kind: SIDES[int(rng.integers(2))] for kind in FINDINGS}
    courses = [_device(rng, shown["device"], sides["device"])]
    for kind in ("effusion", "pneumothorax"):
        courses.append(_graded(rng, kind, shown[kind], Placed(sides[kind], 0.0, 0.0)))
    blocked = [lesion for course in courses for visit in course for lesion in visit]
    place = place_consolidation(rng, anatomy, sides["consolidation"], blocked=blocked, widest_ctr=widest)
    courses.append(_graded(rng, "consolidation", shown["consolidation"], place))
    blocked += [lesion for visit in courses[-1] for lesion in visit]
    courses.append(_nodules(rng, anatomy, shown["nodule"], blocked, widest))
    return courses


def _graded(rng: np.random.Generator, kind: str, shown: list[bool], place: Placed) -> list[list[Lesion]]:
    grades = _grades(rng, len(shown))
    jitter = float(rng.uniform(0.94, 1.06))
    sizes = [SIZES[kind][grade] * jitter for grade in grades]
    lesions = [
        Lesion(kind, place.side, place.x, place.y, size, GRADES[grade])
        for size, grade in zip(sizes, grades, strict=True)
    ]
    return [[lesion] if there else [] for lesion, there in zip(lesions, shown, strict=True)]


def _device(rng: np.random.Generator, shown: list[bool], side: Side) -> list[list[Lesion]]:
    form = DEVICES[int(rng.integers(len(DEVICES)))]
    lesion = Lesion("device", "" if form == "breathing tube" else side, grade=form)
    return [[lesion] if there else [] for there in shown]


def _nodules(
    rng: np.random.Generator, anatomy: Anatomy, shown: list[bool], blocked: list[Lesion], widest: float
) -> list[list[Lesion]]:
    """The first k of four fixed nodules, k from 1 to 4; k is drawn anew in a third of the following studies."""
    radii = rng.uniform(*NODULE_RADIUS, size=MAX_NODULES)
    one_sided = rng.random() < 0.5
    first = SIDES[int(rng.integers(2))]
    sides = [first if one_sided else SIDES[int(rng.integers(2))] for _ in radii]
    places = place_nodules(
        rng, anatomy, list(zip(sides, radii.tolist(), strict=True)), blocked=blocked, widest_ctr=widest
    )
    nodules = [Lesion("nodule", p.side, p.x, p.y, p.radius) for p in places]
    counts = [int(rng.integers(1, MAX_NODULES + 1))]
    while len(counts) < len(shown):
        counts.append(int(rng.integers(1, MAX_NODULES + 1)) if rng.random() < 1 / 3 else counts[-1])
    return [nodules[:k] if there else [] for k, there in zip(counts, shown, strict=True)]
