"""Alignment: the projector learns to put pictures where words are; captions only.

The published recipe (arXiv 2603.00842) freezes the language model. Its text lets the vision encoder learn in
this stage, its Table 2 freezes it: both are written with `vision_lr`, and the default follows the table.
"""

from typing import Literal

from pydantic import PositiveFloat

from osler.core.config import Config
from osler.train.stage import DataConfig, ModelConfig, PackConfig, ParallelConfig, ScheduleConfig, Stage


class AlignConfig(Config):
    """Recipe of this stage. A learning rate of null freezes the part."""

    stage: Literal["align"]
    seed: int = 0
    model: ModelConfig
    data: tuple[DataConfig, ...]
    eval_data: tuple[DataConfig, ...] = ()
    pack: PackConfig = PackConfig()
    schedule: ScheduleConfig
    parallel: ParallelConfig = ParallelConfig()
    report_to: tuple[str, ...] = ("tensorboard",)
    vision_lr: PositiveFloat | None = None
    projector_lr: PositiveFloat | None = 1e-3
    lm_lr: PositiveFloat | None = None


STAGE = Stage(config=AlignConfig, objective="next_token")
