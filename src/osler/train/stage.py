"""What a training stage declares, and the recipe parts that stages share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from osler.core.config import Config
from osler.schema.sample import Split

Objective = Literal["next_token", "patch_masks"]


@dataclass(frozen=True)
class Stage:
    """One training stage.

    Args:
        config: the recipe's class; its fields are read by `train/run.py`.
        objective: `next_token` on the assistant's words, or `patch_masks` on drawn truth.
    """

    config: type[Config]
    objective: Objective


class ModelConfig(Config):
    """Where training starts: a model `folder` written by an earlier stage, or a `family` built afresh.

    attention and experts name the implementation used while training, per part.
    """

    folder: Path | None = None
    family: str | None = None
    attention: dict[str, str] = {"text_config": "eager", "vision_config": "sdpa"}
    experts: str = "eager"


class DataConfig(Config):
    """Samples to train on.

    tasks: relative weight of each task's samples among the questions of one image; other tasks are left out.
    None takes every task alike.
    weight: share of this source among the sources, in records.
    withhold_images: show the words alone. A small share of such samples teaches the model what can be guessed, so
    that its score with the image withheld is a fair baseline and not the confusion of a model never asked so.
    """

    shards: Path
    split: Split = "train"
    tasks: dict[str, PositiveFloat] | None = None
    licences: tuple[str, ...] | None = None
    weight: PositiveFloat = 1.0
    withhold_images: bool = False


class PackConfig(Config):
    """How samples become rows.

    row_tokens: a row is closed before it exceeds this many tokens (estimated from the index).
    rows_per_step: rows in one forward pass.
    questions_per_image: most samples that share one visual prefix.
    window_shards: shards mixed at once by the shuffle; None shuffles globally.
    """

    row_tokens: PositiveInt = 1024
    rows_per_step: PositiveInt = 8
    questions_per_image: PositiveInt = 8
    window_shards: PositiveInt | None = None


class ScheduleConfig(Config):
    """Steps, and how the learning rate moves over them.

    min_lr_ratio: the cosine ends at this share of the peak.
    checkpoint_every, log_every: in steps.
    num_workers: processes that read and cut images ahead; 0 does it in the training process.
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
