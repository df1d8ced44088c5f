"""Images of a patient as studies: views in a declared order, studies in order of time, each with the one before it.

Views come frontal first: PA, AP, other frontal views, lateral, then other and unstated views; within one of these in
order of their paths.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from osler.schema.media import MediaRef
from osler.schema.sample import image

_VIEWS = {"PA": "PA", "AP": "AP", "FRONTAL": "frontal", "LATERAL": "lateral", "LL": "lateral", "LAT": "lateral"}
_ORDER = ("PA", "AP", "frontal", "lateral")


@dataclass(frozen=True)
class View:
    """An image of a study. `name` is PA, AP, frontal, lateral, another view as its set calls it, or "" if unstated."""

    path: str
    name: str = ""


@dataclass(frozen=True)
class Study:
    """The views of one visit, in the declared order. `time` is as `study_time` gives it, None where it is unknown."""

    id: str
    views: tuple[View, ...]
    time: int | None = None


def view_name(text: str) -> str:
    """The name of a view: LATERAL, LL and LAT are all `lateral`; an unknown one is kept in small letters."""
    words = " ".join(text.split())
    return _VIEWS.get(words.upper(), words.lower())


def ordered(views: Iterable[View]) -> tuple[View, ...]:
    """The views in the declared order."""
    return tuple(sorted(views, key=lambda view: (_rank(view.name), view.path)))


def study_time(date: str, time: str) -> int | None:
    """A number that grows with time, in ms: from a StudyDate (20800731) and a StudyTime (93045.123 is 9:30:45).

    None where the date is missing or neither is a number: such a study cannot be put in order.
    """
    try:
        day, clock = int(float(date)), float(time or 0)
    except ValueError:
        return None
    return day * 10**9 + round(clock * 1000) if day > 0 else None


def in_time_order(studies: Iterable[Study]) -> list[Study]:
    """The studies of one patient, first to last; those without a time come first, in order of their ids."""
    return sorted(studies, key=lambda study: (study.time if study.time is not None else -1, study.id))


def with_prior(studies: Sequence[Study]) -> Iterator[tuple[Study, Study | None]]:
    """Each study, in order of time, with the last one that was made before it.

    A study without a time has no prior and is none; of two studies of the same time neither is the other's prior.
    """
    timed: list[Study] = []
    for study in in_time_order(studies):
        earlier = (past for past in reversed(timed) if study.time is not None and _time(past) < study.time)
        yield study, next(earlier, None)
        if study.time is not None:
            timed.append(study)


def shown(current: Study, prior: Study | None = None, *, most_current: int = 4, most_prior: int = 2) -> list[MediaRef]:
    """The first views of a study and then of its prior, each with its view and `current` or `prior` as its time."""
    refs = [image(view.path, view=view.name, time="current") for view in current.views[:most_current]]
    past = prior.views[:most_prior] if prior else ()
    return refs + [image(view.path, view=view.name, time="prior") for view in past]


def image_list(refs: Sequence[MediaRef]) -> str:
    """Which image is which, in words, as in `Image 1: current study, PA view. Image 2: prior study, AP view.`."""
    has_prior = any(ref.time == "prior" for ref in refs)
    labels = []
    for number, ref in enumerate(refs, start=1):
        view = f"{ref.view} view" if ref.view else "view not stated"
        labels.append(f"Image {number}: {ref.time} study, {view}." if has_prior else f"Image {number}: {view}.")
    return " ".join(labels)


def _rank(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER) + (not name)


def _time(study: Study) -> int:
    return study.time if study.time is not None else -1
