"""Mid-training: every part learns from long image-text pairs such as reports.

Learning rates default to those of the published recipe (arXiv 2603.00842).
"""

from typing import Literal

from pydantic import PositiveFloat

from osler.core.config import Config
from osler.train.stage import DataConfig, ModelConfig, PackConfig, ParallelConfig, ScheduleConfig, Stage


class MidtrainConfig(Config):
    """Recipe of this stage. A learning rate of null freezes the part."""

    stage: Literal["midtrain"]
    seed: int = 0
    model: ModelConfig
    data: tuple[DataConfig, ...]
    eval_data: tuple[DataConfig, ...] = ()
    pack: PackConfig = PackConfig()
    schedule: ScheduleConfig
    parallel: ParallelConfig = ParallelConfig()
    report_to: tuple[str, ...] = ("tensorboard",)
    vision_lr: PositiveFloat | None = 2e-5
    projector_lr: PositiveFloat | None = 2e-5
    lm_lr: PositiveFloat | None = 2e-5


STAGE = Stage(config=MidtrainConfig, objective="next_token")
