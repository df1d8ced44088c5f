"""Sections of a transfer recipe beside the probes: zero-shot, retrieval, robustness, understanding. Each is optional.

A section's settings are part of the hash of what it measures; `encoders`, which says whom to measure, is not.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from osler.core.catalog import CORRUPTIONS
from osler.core.config import Config
from osler.core.errors import InputError, did_you_mean
from osler.transfer.caption_pairs import Source
from osler.transfer.prompts import ABSENT
from osler.transfer.retrieval import DEFAULT_KS

Severity = Annotated[int, Field(ge=1, le=5)]
Names = tuple[str, ...] | None


class PromptsConfig(Config):
    """Prompts of one set; what is left out is taken from those known here (`transfer/prompts.py`).

    templates: sentences with `{}` for the class. words: of every class. absent: how a class is denied where a picture
    may have several.
    """

    templates: tuple[str, ...] | None = None
    words: dict[str, tuple[str, ...]] | None = None
    absent: str = ABSENT


class ZeroShotConfig(Config):
    """Zero-shot classification of the recipe's sets.

    encoders: names of those to measure; null for all that have a text tower. sets: names of those to classify; null for
    all. prompts: by set.
    """

    version: Literal[1] = 1
    encoders: Names = None
    sets: Names = None
    prompts: dict[str, PromptsConfig] = {}


class PairsConfig(Config):
    """One store of images and texts.

    name: what results call it. shards: the output folder of `osler curate` or `osler synth`. split: of it. texts:
    `caption`, `mention` or both. tasks: of which samples captions are taken; null for all that are passages.
    max_images: chosen by a hash of their keys; null for all.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
    shards: Path
    split: str = "test"
    texts: Annotated[tuple[Source, ...], Field(min_length=1)] = ("caption",)
    tasks: Names = None
    max_images: PositiveInt | None = None


class RetrievalConfig(Config):
    """Image-text retrieval. encoders: null for all that have a text tower. at: the depths k of R@k."""

    version: Literal[1] = 1
    encoders: Names = None
    stores: Annotated[tuple[PairsConfig, ...], Field(min_length=1)]
    at: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = DEFAULT_KS


class RobustnessConfig(Config):
    """A linear probe, trained on clean images under the first of the protocol's seeds, asked about corrupted ones.

    encoders, sets: null for all. corruptions: null for those that make sense for the set's modality. modality: by set,
    where the set's own says too little. picture_px: images are first reduced to this longer side, so that a corruption
    is the same for every encoder; smaller ones stay as they are. max_images: of the test part, with classes in
    proportion; null for all. seed: of what corruptions draw. sheet: whether a contact sheet of one test image is kept
    for the report.
    """

    version: Literal[1] = 1
    encoders: Names = None
    sets: Names = None
    corruptions: Names = None
    severities: Annotated[tuple[Severity, ...], Field(min_length=1)] = (1, 2, 3, 4, 5)
    modality: dict[str, str] = {}
    picture_px: Annotated[int, Field(ge=16, le=4096)] = 224
    max_images: PositiveInt | None = None
    seed: NonNegativeInt = 0
    sheet: bool = True

    @model_validator(mode="after")
    def _differ(self) -> Self:
        for name in ("severities", "corruptions"):
            found = getattr(self, name) or ()
            if len(set(found)) != len(found):
                raise ValueError(f"{name} must differ; got {', '.join(map(str, found))}")
        return self


class UnderstandingConfig(Config):
    """Pairs of drawn films that differ in one factor, out of a store that `generator: phantom_pairs` wrote.

    encoders: null for all. split: of the pairs asked about. probe_split: of those that the linear probe learns from.
    by: `captions` for encoders with a text tower, `probe` for all.
    """

    version: Literal[1] = 1
    encoders: Names = None
    shards: Path
    split: str = "test"
    probe_split: str = "train"
    by: Annotated[tuple[Literal["captions", "probe"], ...], Field(min_length=1)] = ("captions", "probe")

    @model_validator(mode="after")
    def _splits_differ(self) -> Self:
        if "probe" in self.by and self.split == self.probe_split:
            raise ValueError(f"split and probe_split must differ; both are {self.split!r}")
        return self


@dataclass(frozen=True)
class Sections:
    """The optional sections of a recipe."""

    zero_shot: ZeroShotConfig | None = None
    retrieval: RetrievalConfig | None = None
    robustness: RobustnessConfig | None = None
    understanding: UnderstandingConfig | None = None


def check_sections(sections: Sections, *, encoders: tuple[str, ...], sets: tuple[str, ...]) -> None:
    """Raises InputError where a section names an encoder, a set or a corruption that there is not."""
    for name, section in vars(sections).items():
        if section is not None:
            _check_names(f"{name}.encoders", section.encoders, encoders)
    if sections.zero_shot is not None:
        _check_names("zero_shot.sets", sections.zero_shot.sets, sets)
        _check_names("zero_shot.prompts", tuple(sections.zero_shot.prompts), sets)
    if sections.robustness is not None:
        _check_names("robustness.sets", sections.robustness.sets, sets)
        _check_names("robustness.modality", tuple(sections.robustness.modality), sets)
        for corruption in sections.robustness.corruptions or ():
            CORRUPTIONS.load(corruption)
    if sections.retrieval is not None:
        names = [store.name for store in sections.retrieval.stores]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise InputError("recipe: retrieval.stores must differ in their names", got=", ".join(repeated))


def _check_names(key: str, names: Names, known: tuple[str, ...]) -> None:
    for name in names or ():
        if name not in known:
            raise InputError(
                f"recipe: {key} names {name!r}, which the recipe does not have",
                expected=f"one of {', '.join(known)}",
                fix=did_you_mean(name, known),
            )
