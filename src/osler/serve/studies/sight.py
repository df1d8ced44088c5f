"""Sight: which instances and frames of an upload are shown, chosen by their headers before a pixel is decoded."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from osler.media.deid import spread
from osler.media.deid_identity import parsed_date
from osler.media.deid_pixels import num_frames

_SCOUT = "LOCALIZER"


@dataclass
class Series:
    """Instances of one series, in the order in which they lie. parts: their places in the upload.

    frames: how many each holds. wanted: which of each are shown.
    """

    study: str = field(repr=False)
    uid: str = field(repr=False)
    modality: str
    day: date | None = field(default=None, repr=False)
    is_scout: bool = False
    parts: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    wanted: list[tuple[int, ...]] = field(default_factory=list)
    _places: list[tuple[float, ...]] = field(default_factory=list, repr=False)

    @property
    def num_frames(self) -> int:
        """Of all instances together."""
        return sum(self.frames)

    def add(self, part: int, dataset: Any) -> None:
        """One more instance."""
        self.parts.append(part)
        self.frames.append(max(num_frames(dataset), 1))
        self._places.append(_place(dataset))
        self.is_scout = self.is_scout or _SCOUT in [str(kind).upper() for kind in dataset.get("ImageType") or ()]

    def arrange(self) -> None:
        """Put the instances in order: along the slices' normal where all say where they lie, else by number."""
        column = 0 if all(np.isfinite(place[0]) for place in self._places) else 1
        order = sorted(range(len(self.parts)), key=lambda n: (self._places[n][column], self.parts[n]))
        self.parts, self.frames = [self.parts[n] for n in order], [self.frames[n] for n in order]
        self._places = [self._places[n] for n in order]

    def want(self, count: int) -> None:
        """Choose `count` frames, each in the middle of an equal part of the series."""
        chosen = spread(self.num_frames, count)
        ends = list(itertools.accumulate(self.frames))
        self.wanted = [
            tuple(number - (end - held) for number in chosen if end - held <= number < end)
            for end, held in zip(ends, self.frames, strict=True)
        ]


def series_of(headers: Sequence[tuple[int, Any]]) -> list[Series]:
    """The series of an upload: studies from the latest to the oldest, scouts last, else as they came.

    Args:
        headers: the number of each part and its header.
    """
    found: dict[tuple[str, str], Series] = {}
    for part, dataset in headers:
        study, uid = (str(dataset.get(k) or "").strip() for k in ("StudyInstanceUID", "SeriesInstanceUID"))
        if (study, uid) not in found:
            day = parsed_date(str(dataset.get("StudyDate") or ""))
            found[study, uid] = Series(study, uid, str(dataset.get("Modality") or ""), day)
        found[study, uid].add(part, dataset)
    series = list(found.values())
    for one in series:
        one.arrange()
    latest = {one.study: one.day or date.min for one in series}
    return sorted(series, key=lambda one: (-latest[one.study].toordinal(), one.is_scout))


def share_out(series: Sequence[Series], total: int) -> None:
    """Divide `total` pictures among series: one to each in turn until all are given or every frame is shown."""
    counts = [0] * len(series)
    while total > 0 and any(count < one.num_frames for count, one in zip(counts, series, strict=True)):
        for number, one in enumerate(series):
            if total > 0 and counts[number] < one.num_frames:
                counts[number] += 1
                total -= 1
    for count, one in zip(counts, series, strict=True):
        one.want(count)


def _place(dataset: Any) -> tuple[float, ...]:
    """How far along the slices' normal, and the instance's number; infinite where the header does not say."""
    number = dataset.get("InstanceNumber")
    try:
        along = np.array(dataset.ImageOrientationPatient, np.float64).reshape(2, 3)
        far = float(np.array(dataset.ImagePositionPatient, np.float64) @ np.cross(*along))
    except (AttributeError, TypeError, ValueError):
        far = float("inf")
    return far, float(number) if number is not None and str(number).strip() else float("inf")
