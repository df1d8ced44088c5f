"""Volumes: a sample about a scan becomes one with several of its slices as images, by the recipe's rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from osler.core.config import Config
from osler.core.errors import InputError
from osler.media.slices import CtWindow, Rule, SliceImage, SliceRule, cut_slices
from osler.media.volume_file import load_reader, read_volume, volume_sha256
from osler.schema.media import MediaRef, Plane, VolumeSlice, Window
from osler.schema.sample import Image, Part, Sample, Text, Turn

_NEEDS: dict[Rule, str] = {
    "uniform": "count",
    "centre": "count",
    "mask": "count",
    "every_mm": "every_mm",
    "indices": "indices",
}


class WindowConfig(Config):
    """A window in the scan's own values (HU in CT): its centre and its width."""

    center: float
    width: PositiveFloat


class PercentilesConfig(Config):
    """A window between two percentiles of each volume, for scans whose values have no unit, such as MR."""

    percentiles: tuple[Annotated[float, Field(ge=0, le=100)], Annotated[float, Field(ge=0, le=100)]]

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.percentiles[0] >= self.percentiles[1]:
            raise ValueError("percentiles must be [low, high] with low below high")
        return self


class VolumesConfig(Config):
    """The section `volumes` of a recipe of `osler curate`; the options are those of `media.slices.SliceRule`.

    label_slices: put words such as "Slice 3 of 8, axial, 5.0 mm apart." before each slice; with several volumes in one
        sample, "Scan 1, slice 3 of 8, axial, 5.0 mm apart."
    """

    plane: Plane = "axial"
    rule: Rule = "uniform"
    window: CtWindow | WindowConfig | PercentilesConfig
    count: PositiveInt | None = None
    every_mm: PositiveFloat | None = None
    indices: tuple[NonNegativeInt, ...] = ()
    label: PositiveInt | None = None
    empty_below: float | None = None
    frame: NonNegativeInt | None = None
    bits: Literal[8, 16] = 16
    square_pixels: bool = False
    label_slices: bool = False

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> Self:
        needed = _NEEDS[self.rule]
        if not getattr(self, needed):
            raise ValueError(f"the rule {self.rule} needs {needed}")
        surplus = [name for name in ("count", "every_mm", "indices") if name != needed and getattr(self, name)]
        if surplus:
            raise ValueError(f"the rule {self.rule} takes no {surplus[0]}")
        if self.label is not None and self.rule != "mask":
            raise ValueError(f"the rule {self.rule} takes no label")
        return self

    def step(self) -> "VolumeStep":
        """The plain value that the engine takes."""
        options = {name: getattr(self, name) for name in type(self).model_fields}
        label_slices = options.pop("label_slices")
        if isinstance(self.window, WindowConfig):
            options["window"] = Window(center=self.window.center, width=self.window.width)
        if isinstance(self.window, PercentilesConfig):
            options["window"] = self.window.percentiles
        return VolumeStep(SliceRule(**options), label_slices=label_slices)


@dataclass(frozen=True)
class VolumeStep:
    """How the volumes of a run become slices, and whether words stand before each slice."""

    rule: SliceRule
    label_slices: bool = False


@dataclass(frozen=True)
class Cut:
    """Samples that show slices, and the PNG of each slice; or the reason why the volume cannot be shown."""

    samples: tuple[Sample, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    reason: str = ""


def has_volume(sample: Sample) -> bool:
    """Whether the sample shows a volume."""
    return any(ref.kind == "volume" for ref in sample.media)


def cut_volumes(samples: Sequence[Sample], folder: Path, places: Mapping[str, str], *, step: VolumeStep | None) -> Cut:
    """The samples of one record with slices in the place of their volumes; each volume is read once.

    Args:
        samples: all about the same media.
        folder: the dataset's media folder.
        places: where a media path lies below it, if not at the path itself.
        step: the recipe's; None has none.

    Raises:
        InputError: no step, or the package that reads such a volume is not installed. What is wrong with a volume
            itself is a reason, not an error.
    """
    refs = [ref for sample in samples for ref in sample.media if ref.kind == "volume"]
    if step is None:
        raise InputError(
            f"sample {samples[0].id!r} is about the volume {refs[0].path!r}, and the recipe does not say which "
            "slices to show",
            fix="Add a section such as `volumes: {plane: axial, rule: uniform, count: 8, window: lung}`.",
        )
    if any(sample.boxes for sample in samples):
        return Cut(tuple(samples), reason="boxes on a volume: a box of one image says nothing about slices")
    slices: dict[str, list[SliceImage]] = {}
    for path in dict.fromkeys(ref.path for ref in refs):
        masks = {ref.mask.path for ref in refs if ref.path == path and ref.mask is not None}
        found = _slices(path, masks, folder, places, step.rule)
        if isinstance(found, str):
            return Cut(tuple(samples), reason=found)
        slices[path] = found
    files = {_slice_path(cut.place): cut.png for cuts in slices.values() for cut in cuts}
    return Cut(tuple(_shown(sample, slices, step.label_slices) for sample in samples), files)


def _slices(
    name: str, masks: set[str], folder: Path, places: Mapping[str, str], rule: SliceRule
) -> list[SliceImage] | str:
    """The slices of a volume, or the reason why there are none."""
    path = _below(folder, places.get(name, name))
    if not path.exists():
        return f"volume missing: {name}"
    marks = sorted(masks) if rule.rule == "mask" else []
    if len(marks) > 1:
        return f"several masks of one volume: {name}: {', '.join(marks)}"
    mask_paths = [_below(folder, places.get(mask, mask)) for mask in marks]
    for needed in (path, *mask_paths):
        load_reader(needed)
    try:
        volume = read_volume(path, frame=rule.frame)
        labels = read_volume(mask_paths[0]) if mask_paths else None
        return cut_slices(volume, rule, path=name, sha256=volume_sha256(path), labels=labels)
    except InputError as error:
        return f"volume not shown: {name}: {error}"


def _below(folder: Path, name: str) -> Path:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(f"volume path {name!r} leads out of {folder}", expected="a path below the dataset's folder")
    return folder / name


def _shown(sample: Sample, slices: Mapping[str, list[SliceImage]], label_slices: bool) -> Sample:
    """The sample with each volume's place taken by its slices, in order."""
    turns: list[Turn] = []
    scans = list(dict.fromkeys(ref.path for ref in sample.media if ref.kind == "volume"))
    for turn in sample.turns:
        parts: list[Part] = []
        for part in turn.parts:
            if not isinstance(part, Image) or part.media.kind != "volume":
                parts.append(part)
                continue
            cuts = slices[part.media.path]
            scan = f"Scan {scans.index(part.media.path) + 1}, slice" if len(scans) > 1 else "Slice"
            for number, cut in enumerate(cuts, start=1):
                if label_slices:
                    parts.append(Text(text=f"{scan} {_slice_words(number, [other.place for other in cuts])}"))
                parts.append(Image(media=_reference(part.media, cut)))
        turns.append(turn.model_copy(update={"parts": tuple(parts)}))
    return sample.model_copy(update={"turns": tuple(turns)})


def _reference(volume: MediaRef, cut: SliceImage) -> MediaRef:
    return MediaRef(
        path=_slice_path(cut.place),
        bits=16 if cut.window else 8,
        window=cut.window,
        view=volume.view or cut.place.plane,
        time=volume.time,
        volume_slice=cut.place,
    )


def _slice_path(place: VolumeSlice) -> str:
    return f"{place.path}#{place.plane}-{place.index:05d}"


def _slice_words(number: int, places: Sequence[VolumeSlice]) -> str:
    """Where all slices are equally far apart, how far; else about how far."""
    words = f"{number} of {len(places)}, {places[0].plane}"
    if len(places) < 2:
        return f"{words}."
    steps = [later.index - earlier.index for earlier, later in pairwise(places)]
    mean = sum(steps) / len(steps) * places[0].spacing_mm[2]
    return f"{words}, {'about ' if len(set(steps)) > 1 else ''}{mean:.1f} mm apart."
