"""What a training stage declares, and the recipe parts that stages share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, runtime_checkable

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from osler.core.config import Config
from osler.schema.sample import Split

Objective = Literal["next_token", "patch_masks", "pairs"]
Engine = Literal["none", "ddp", "zero3", "fsdp2"]


@dataclass(frozen=True)
class Stage:
    """One training stage.

    Args:
        config: the recipe's class; its fields are read by `train/run.py`.
        objective: `next_token` on the assistant's words, `patch_masks` on drawn truth, `pairs` of pictures and words.
    """

    config: type[Config]
    objective: Objective


class LoraConfig(Config):
    """Low-rank adapters (arXiv 2106.09685) that learn in place of the weights they stand beside.

    rank: of each adapter's two factors.
    alpha: the adapters' product is scaled by alpha / rank.
    targets: names of the linear layers that get one.
    """

    rank: PositiveInt = 8
    alpha: PositiveFloat = 16
    targets: tuple[str, ...] = Field(("q_proj", "k_proj", "v_proj", "o_proj"), min_length=1)
    dropout: float = Field(0.0, ge=0, lt=1)


class PartsConfig(Config):
    """Local folders of a family's published parts; a projector that no folder gives is random."""

    vision: Path
    language: Path
    projector: Path | None = None


class ModelConfig(Config):
    """Where training starts: a model `folder` written by an earlier stage, or a `family` built afresh.

    parts: build the family from these instead of from random weights.
    vision_feature_layer: the tower's layer that the projector reads, -1 or -2, if not the family's own; with `family`.
    max_upscale: never enlarge an image to tiles of more than this multiple of its area; None is the published rule.
    dtype: of the weights in memory. bfloat16 suits weights that stay as they are beside LoRA's.
    attention and experts name the implementation used while training, per part. `auto` is the fastest that is right
        for the model and the device, see `model/kernels.py`; `attention: auto` says so of both parts.
    """

    folder: Path | None = None
    family: str | None = None
    parts: PartsConfig | None = None
    lora: LoraConfig | None = None
    vision_feature_layer: Literal[-1, -2] | None = None
    max_upscale: float | None = Field(None, ge=1)
    dtype: Literal["float32", "bfloat16"] = "float32"
    attention: dict[str, str] = {"text_config": "eager", "vision_config": "sdpa"}
    experts: str = "eager"

    @field_validator("attention", mode="before")
    @classmethod
    def _of_each_part(cls, given: Any) -> Any:
        return {"text_config": "auto", "vision_config": "auto"} if given == "auto" else given


class DataConfig(Config):
    """Samples to train on.

    tasks: relative weight of each task's samples among the questions of one image; other tasks are left out.
    None takes every task alike.
    weight: share of this source among the sources, in records.
    by_dataset: draw from each dataset in the store on its own, by the weights that its curation recipe gave.
    withhold_images: show the words alone. A small share of such samples teaches the model what can be guessed, so
    that its score with the image withheld is a fair baseline and not the confusion of a model never asked so.
    """

    shards: Path
    split: Split = "train"
    tasks: dict[str, PositiveFloat] | None = None
    licences: tuple[str, ...] | None = None
    weight: PositiveFloat = 1.0
    withhold_images: bool = False
    by_dataset: bool = False

    @model_validator(mode="after")
    def _a_mix_is_whole(self) -> Self:
        if self.by_dataset and (self.tasks is not None or self.licences is not None):
            raise ValueError("by_dataset draws a mix as it was curated; select tasks or licences without it")
        return self


class PackConfig(Config):
    """How samples become rows.

    row_tokens: a row is closed before it exceeds this many tokens (estimated from the index).
    rows_per_step: rows in one forward pass.
    questions_per_image: most samples that share one visual prefix.
    window_shards: shards mixed at once by the shuffle; None shuffles globally.
    row_tiles: a row is closed before it exceeds this many tiles; None leaves it to the tokens.
    order: `stream` fills rows in the order drawn; `best_fit` fills what is left of a row from the coming documents.
    look_ahead: documents that `best_fit` chooses among, at least.
    overlong: what becomes of a sample longer than a row: `keep` makes it a row of its own, `cut` shortens its words
        outside images, `drop` leaves it out; all are counted in `pack.json`.
    loss_weight: what counts alike in the loss: each `token`, each `sample`, or, between the two, each token by
        one over the square root of its answer's length (`sqrt`).
    """

    row_tokens: PositiveInt = 1024
    rows_per_step: PositiveInt = 8
    questions_per_image: PositiveInt = 8
    window_shards: PositiveInt | None = None
    row_tiles: PositiveInt | None = None
    order: Literal["stream", "best_fit"] = "stream"
    look_ahead: PositiveInt = 512
    overlong: Literal["keep", "cut", "drop"] = "keep"
    loss_weight: Literal["token", "sqrt", "sample"] = "token"


class KeepBestConfig(Config):
    """End with the weights of the checkpoint whose `metric` was least (`min`) or greatest (`max`)."""

    metric: str = "eval_loss"
    mode: Literal["min", "max"] = "min"


class EarlyStopConfig(Config):
    """Stop once `patience` evaluations in a row have not improved on the best one."""

    patience: PositiveInt


class ScheduleConfig(Config):
    """Steps, and how the learning rate moves over them.

    min_lr_ratio: the cosine ends at this share of the peak.
    checkpoint_every, log_every, eval_every: in steps. eval_every goes with the recipe's `eval_data`.
    eval_rows: rows of `eval_data` that each evaluation scores, always the same ones.
    num_workers: processes that read and cut images ahead; 0 does it in the training process.
    checkpointing: `full` keeps only each layer's input and makes the rest again for the gradients.
    """

    steps: PositiveInt
    warmup_ratio: float = Field(0.03, ge=0, lt=1)
    min_lr_ratio: float = Field(0.0, ge=0, lt=1)
    gradient_accumulation: PositiveInt = 1
    max_grad_norm: PositiveFloat = 1.0
    weight_decay: NonNegativeFloat = 0.05
    router_aux_coef: NonNegativeFloat = 0.001
    checkpoint_every: PositiveInt = 200
    log_every: PositiveInt = 10
    num_workers: NonNegativeInt = 0
    checkpointing: Literal["none", "full"] = "none"
    eval_every: PositiveInt | None = None
    eval_rows: PositiveInt = 64
    keep_best: KeepBestConfig | None = None
    early_stop: EarlyStopConfig | None = None

    @model_validator(mode="after")
    def _best_is_a_checkpoint(self) -> Self:
        if self.early_stop and not self.keep_best:
            raise ValueError("early_stop needs keep_best, which names the metric")
        if self.keep_best and self.eval_every != self.checkpoint_every:
            raise ValueError("keep_best needs eval_every equal to checkpoint_every: the best must have been kept")
        return self


class ParallelConfig(Config):
    """How several processes share one training; torchrun starts them.

    engine: `ddp` copies the model to each, `zero3` (DeepSpeed) and `fsdp2` (torch) give each a part of it.
    """

    engine: Engine = "none"


class StageRecipe(Protocol):
    """What every stage's config holds."""

    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def model(self) -> ModelConfig: ...  # noqa: D102
    @property
    def data(self) -> tuple[DataConfig, ...]: ...  # noqa: D102
    @property
    def schedule(self) -> ScheduleConfig: ...  # noqa: D102
    @property
    def report_to(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def vision_lr(self) -> float | None: ...  # noqa: D102


@runtime_checkable
class TextRecipe(StageRecipe, Protocol):
    """What a stage that learns words holds besides."""

    @property
    def eval_data(self) -> tuple[DataConfig, ...]: ...  # noqa: D102
    @property
    def pack(self) -> PackConfig: ...  # noqa: D102
    @property
    def parallel(self) -> ParallelConfig: ...  # noqa: D102
    @property
    def projector_lr(self) -> float | None: ...  # noqa: D102
    @property
    def lm_lr(self) -> float | None: ...  # noqa: D102


class MaskRecipe(StageRecipe, Protocol):
    """What a stage that learns drawn masks holds besides."""

    @property
    def images_per_step(self) -> int: ...  # noqa: D102
    @property
    def min_coverage(self) -> float: ...  # noqa: D102


@runtime_checkable
class PairRecipe(Protocol):
    """What a stage that compares pictures with words holds; its `model` is a pair of towers."""

    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def model(self) -> Any: ...  # noqa: D102
    @property
    def data(self) -> tuple[DataConfig, ...]: ...  # noqa: D102
    @property
    def schedule(self) -> ScheduleConfig: ...  # noqa: D102
    @property
    def report_to(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def parallel(self) -> ParallelConfig: ...  # noqa: D102
    @property
    def pairs_per_step(self) -> int: ...  # noqa: D102
    @property
    def chunk_pairs(self) -> int | None: ...  # noqa: D102
    @property
    def loss(self) -> str: ...  # noqa: D102
    @property
    def texts(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def same(self) -> str: ...  # noqa: D102
    @property
    def min_crop(self) -> float: ...  # noqa: D102
    @property
    def vision_lr(self) -> float | None: ...  # noqa: D102
    @property
    def text_lr(self) -> float | None: ...  # noqa: D102
    @property
    def head_lr(self) -> float: ...  # noqa: D102
