"""The recipe of `osler transfer`: encoders, image sets, probes, the protocol, and how the work is done."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from osler.core.catalog import ENCODERS, PROBES
from osler.core.config import Config, Recipe
from osler.core.errors import InputError
from osler.curate.executor import ExecutorConfig
from osler.transfer.protocol import Protocol
from osler.transfer.read_set import ImageSetConfig
from osler.transfer.sections import (
    RetrievalConfig,
    RobustnessConfig,
    Sections,
    UnderstandingConfig,
    ZeroShotConfig,
    check_sections,
)


class EncoderConfig(Config):
    """One encoder. name: what results call it. encoder: its entry in the catalogue. folder: with its weights; null
    draws random ones by `seed`, where the entry allows that.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    encoder: str
    folder: Path | None = None
    seed: int = 0


class TransferConfig(Config):
    """What is compared, on what, by which probes. `protocol` is the same for all, and its hash goes with each score.

    probes: measured on every set. zero_shot, retrieval, robustness, understanding: further measurements, each of which
        is left out where its section is. batch_size: of feature extraction. num_workers: processes at once of executors
        `local` and `ray`. num_threads: of each process, that decode images. features: the folder of the cache, which
        runs may share; null keeps it below the output.
    """

    encoders: Annotated[tuple[EncoderConfig, ...], Field(min_length=1)]
    sets: tuple[ImageSetConfig, ...] = ()
    probes: tuple[str, ...] = ("linear", "knn", "few_shot", "fine_tune")
    protocol: Protocol = Protocol()
    zero_shot: ZeroShotConfig | None = None
    retrieval: RetrievalConfig | None = None
    robustness: RobustnessConfig | None = None
    understanding: UnderstandingConfig | None = None
    batch_size: PositiveInt = 64
    executor: ExecutorConfig = ExecutorConfig()
    num_workers: NonNegativeInt = 0
    num_threads: PositiveInt = 2
    features: Path | None = None


def parse(recipe: Recipe) -> TransferConfig:
    """The recipe checked: keys, names, catalogue entries. Nothing is read yet."""
    config = TransferConfig.parse(recipe)
    for key in ("encoders", "sets"):
        names = [each.name for each in getattr(config, key)]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise InputError(f"recipe: {key} must differ in their names", got=", ".join(repeated))
    if len(set(config.probes)) != len(config.probes):
        raise InputError("recipe: probes must name each once", got=", ".join(config.probes))
    for name in config.probes:
        PROBES.load(name)
    for encoder in config.encoders:
        ENCODERS.load(encoder.encoder)
    if not config.sets and config.retrieval is None and config.understanding is None:
        raise InputError("recipe: nothing to measure", expected="sets, or a section retrieval or understanding")
    encoders, sets = (tuple(each.name for each in of_kind) for of_kind in (config.encoders, config.sets))
    check_sections(sections_of(config), encoders=encoders, sets=sets)
    return config


def sections_of(config: TransferConfig) -> Sections:
    """The optional sections of a recipe."""
    return Sections(config.zero_shot, config.retrieval, config.robustness, config.understanding)
