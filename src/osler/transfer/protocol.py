"""Protocol: the one recipe by which every encoder is measured. Its hash goes with each score.

Scores under different hashes are never put into one table or ranking: whoever changes a value here measures something
else. What only says where and how fast the work is done (executor, batch size, caches) is no part of it.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from osler.core.config import Config
from osler.core.files import sha256_json
from osler.transfer.probes.few_shot import FewShotConfig
from osler.transfer.probes.fine_tune import FineTuneConfig
from osler.transfer.probes.knn import KnnConfig
from osler.transfer.probes.linear import LinearConfig
from osler.transfer.resize import ResizeConfig

MIN_SEEDS = 5
Share = Annotated[float, Field(gt=0, lt=1)]


class SplitsConfig(Config):
    """How a set without published splits is cut, and where validation comes from.

    validation_share: of the training part, where no validation part is published. test_share: of the whole set, where
        no test part is published; both by seed, whole groups only, with the classes in proportion.
    join_duplicates: copies of one picture stay in one part where the cut is ours.
    """

    version: Literal[1] = 1
    validation_share: Share = 0.2
    test_share: Share = 0.3
    join_duplicates: bool = True


class ScoresConfig(Config):
    """How predictions are scored.

    num_resamples: draws of the bootstrap over groups and seeds. num_permutations: drawn by each paired test.
    seed: of both.
    confidence: of intervals. threshold: from which probability on a label of several is given.
    """

    version: Literal[1] = 1
    num_resamples: PositiveInt = 1000
    num_permutations: PositiveInt = 4999
    seed: int = 0
    confidence: Share = 0.95
    threshold: Share = 0.5


class Protocol(Config):
    """Everything that changes a score.

    dtype: in which the frozen encoder computes; features are kept as float32.
    seeds: at least five: of the splits, of few-shot draws and of fine-tuning.
    other: options of probes outside this package, by dotted path.
    """

    version: Literal[1] = 1
    resize: ResizeConfig = ResizeConfig()
    dtype: Literal["float32", "bfloat16"] = "float32"
    splits: SplitsConfig = SplitsConfig()
    seeds: Annotated[tuple[int, ...], Field(min_length=MIN_SEEDS)] = (0, 1, 2, 3, 4)
    linear: LinearConfig = LinearConfig()
    knn: KnnConfig = KnnConfig()
    few_shot: FewShotConfig = FewShotConfig()
    fine_tune: FineTuneConfig = FineTuneConfig()
    scores: ScoresConfig = ScoresConfig()
    other: dict[str, dict[str, Any]] = {}

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"protocol: seeds must differ; got {', '.join(map(str, self.seeds))}")
        return self

    def options(self, probe: str) -> Any:
        """The options of a probe by its name; the raw mapping for one outside this package."""
        return getattr(self, probe) if probe in type(self).model_fields else self.other.get(probe, {})


def protocol_sha256(protocol: Protocol, *sections: Config) -> str:
    """The protocol hash; `sections` are further configs that a measurement depends on, with their class names."""
    more = {type(section).__name__: section.model_dump(mode="json") for section in sections}
    return sha256_json({"protocol": protocol.model_dump(mode="json"), **more})


def features_identity(
    protocol: Protocol, weights_sha256: str, *, image_px: int, mean: tuple[float, ...], std: tuple[float, ...]
) -> str:
    """The name of what frozen features depend on besides the image: weights, normalisation, resizing, number format."""
    pixels = {"resize": protocol.resize.model_dump(mode="json"), "image_px": image_px, "mean": mean, "std": std}
    return f"{weights_sha256[:24]}-{sha256_json({**pixels, 'dtype': protocol.dtype})[:24]}"
